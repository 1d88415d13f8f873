"""The words of the study's page."""

from __future__ import annotations

WORDS = {
    "en": {
        "title": "Does it help a GAN to begin as a VAE's decoder?",
        "question": (
            "Ham, Jun and Kim (2020, [Unbalanced GANs](https://arxiv.org/abs/2002.02112)) train a generator as a VAE's "
            "decoder first and claim less mode collapse, steadier training, faster convergence and better images "
            "early. Here the claims are measured against a random start **that may spend as much**: what pre-training "
            "costs is taken from the game."
        ),
        "answer": "What the numbers support",
        "claim.collapse": "**Less mode collapse**",
        "claim.steady": "**Steadier training**",
        "claim.fast": "**Faster convergence**",
        "claim.early": "**Better early**",
        "claim.line": (
            "{claim}: of {all} comparisons with the random start {better} support the claim, {worse} contradict it and "
            "{open} are undecided."
        ),
        "claim.better": "For it: {where}.",
        "claim.worse": "Against it: {where}.",
        "failures": "Failed seeds (diverged or collapsed): {counts}.",
        "rules": (
            "How this is decided: every arm is compared with the random start of the same data and loss, seed by seed "
            "(paired t-test, p values corrected after Holm over all comparisons of a claim, 5 %). Mode collapse is read "
            "from the modes found (toys) or the coverage (images) at the end; steadiness from the standard deviation of "
            "the critic's logged loss over the second half of the game; convergence from the mean of the main score over "
            "the compute from {first} on; early means at {early} of the compute. A seed has failed where training "
            "diverged, fewer than half of the modes were found, or the coverage is below 0.1."
        ),
        "setting": "Setting",
        "setting.text": (
            "All arms are settings of the model `unbalanced-gan`: the same networks, step sizes, averaging and order of "
            "the data. A fifth of the compute goes to pre-training where there is any. Compute is floating-point "
            "operations of training steps, counted, so that a busy machine changes nothing. Non-saturating and "
            "least-squares are played without a penalty, Wasserstein with a gradient penalty and four critic steps, the "
            "relativistic game with R1 and R2. Scores are those of `tvir evaluate`, on samples from averaged weights."
        ),
        "setting.data": (
            "- **{data}**: {trials} trainings, up to {seeds} seeds, scale {scale}; {cost} PFLOP each, {seconds} s of one "
            "core (median, measuring included); {machine}, torch {torch}."
        ),
        "curves": "Curves of",
        "table": (
            "Means over seeds ± half of the 95 % interval. The first number is the {score} early, the others are those at "
            "the end."
        ),
        "again": "Doing it again",
        "again.text": (
            "`python recipes/unbalanced_study.py --data ring8 grid25` and the same with a path to MNIST; what is there is "
            "not done again. The numbers of every training lie beside the pictures as JSON."
        ),
        "compute": "share of the compute",
        "loss": "Loss",
        "arm": "Start",
        "early": "early",
        "deviation": "critic's loss, deviation",
        "failed": "failed",
        "arm.random": "random",
        "arm.vae": "VAE's decoder",
        "arm.ae": "autoencoder's decoder",
        "arm.vae+encoder": "VAE, encoder into critic",
        "arm.vae+aggregated": "VAE, aggregated prior",
        "loss.non-saturating": "non-saturating",
        "loss.least-squares": "least squares",
        "loss.wgan-gp": "WGAN-GP",
        "loss.relativistic": "relativistic, R1 + R2",
        "score.reverse_kl": "reverse KL (nats)",
        "score.frechet_distance": "Fréchet distance",
        "score.modes_found": "modes found",
        "score.high_quality_share": "high-quality share",
        "score.coverage": "coverage",
        "score.density": "density",
    },
    "uk": {
        "title": "Чи допомагає GAN почати декодером VAE?",
        "question": (
            "Гам, Чун і Кім (2020, [Unbalanced GANs](https://arxiv.org/abs/2002.02112)) спершу навчають генератор як "
            "декодер VAE і стверджують, що тоді менше колапсу мод, навчання рівніше, збіжність швидша, а ранні зображення "
            "кращі. Тут ці твердження виміряно проти випадкового початку, **якому дозволено витратити стільки ж**: "
            "вартість попереднього навчання береться з гри."
        ),
        "answer": "Що підтверджують числа",
        "claim.collapse": "**Менше колапсу мод**",
        "claim.steady": "**Рівніше навчання**",
        "claim.fast": "**Швидша збіжність**",
        "claim.early": "**Краще на початку**",
        "claim.line": (
            "{claim}: порівнянь із випадковим початком — {all}; підтверджують — {better}, заперечують — {worse}, не "
            "вирішують — {open}."
        ),
        "claim.better": "За: {where}.",
        "claim.worse": "Проти: {where}.",
        "failures": "Невдалі зерна (розбіжність або колапс): {counts}.",
        "rules": (
            "Як це вирішено: кожен початок порівняно з випадковим на тих самих даних і з тією самою функцією втрат, зерно "
            "за зерном (парний t-критерій, p з поправкою Голма за всіма порівняннями твердження, 5 %). Колапс мод видно з "
            "кількості знайдених мод (іграшкові дані) або з покриття (зображення) наприкінці; рівність — зі стандартного "
            "відхилення записаних втрат критика за другу половину гри; збіжність — із середнього головної оцінки за "
            "обчисленнями, починаючи з {first}; «на початку» означає {early} обчислень. Зерно невдале, якщо навчання "
            "розбіглося, знайдено менше половини мод або покриття нижче за 0,1."
        ),
        "setting": "Умови",
        "setting.text": (
            "Усі варіанти — налаштування моделі `unbalanced-gan`: ті самі мережі, кроки, усереднення й порядок даних. На "
            "попереднє навчання, де воно є, іде п’ята частина обчислень. Обчислення — це підраховані операції з рухомою "
            "комою в кроках навчання, тож завантаженість машини нічого не змінює. Ненасичувані втрати й найменші квадрати "
            "грають без штрафу, Вассерштайна — зі штрафом на градієнт і чотирма кроками критика, релятивістські — з R1 і "
            "R2. Оцінки ті самі, що в `tvir evaluate`, за зразками з усереднених ваг."
        ),
        "setting.data": (
            "- **{data}**: навчань — {trials}, зерен — до {seeds}, масштаб {scale}; по {cost} PFLOP, {seconds} с одного "
            "ядра (медіана, разом із вимірюванням); {machine}, torch {torch}."
        ),
        "curves": "Криві для",
        "table": (
            "Середні за зернами ± половина 95-відсоткового інтервалу. Перше число — {score} на початку, решта — "
            "наприкінці."
        ),
        "again": "Як повторити",
        "again.text": (
            "`python recipes/unbalanced_study.py --data ring8 grid25` і те саме зі шляхом до MNIST; зроблене не "
            "повторюється. Числа кожного навчання лежать поруч із рисунками у форматі JSON."
        ),
        "compute": "частка обчислень",
        "loss": "Втрати",
        "arm": "Початок",
        "early": "на початку",
        "deviation": "відхилення втрат критика",
        "failed": "невдалі",
        "arm.random": "випадковий",
        "arm.vae": "декодер VAE",
        "arm.ae": "декодер автокодувальника",
        "arm.vae+encoder": "VAE, кодувальник у критика",
        "arm.vae+aggregated": "VAE, агрегований апріорний",
        "loss.non-saturating": "ненасичувані",
        "loss.least-squares": "найменші квадрати",
        "loss.wgan-gp": "WGAN-GP",
        "loss.relativistic": "релятивістські, R1 + R2",
        "score.reverse_kl": "обернена KL (нати)",
        "score.frechet_distance": "відстань Фреше",
        "score.modes_found": "знайдені моди",
        "score.high_quality_share": "частка якісних",
        "score.coverage": "покриття",
        "score.density": "густина",
    },
}
