"""sagan: SNGAN's residual networks with self-attention, the hinge loss and spectral normalisation."""

from tvir.contracts.recipe import Recipe

RECIPE = Recipe(
    model="gan",
    settings={
        "network": "resnet:attention=True",
        "loss": "hinge",
        "regulariser": "spectral-norm",
        "generator_learning_rate": 0.001,
        "critic_learning_rate": 0.0001,
    },
    paper="Zhang et al. 2019, Self-Attention Generative Adversarial Networks, arXiv 1805.08318",
    parts="SNGAN's residual networks with self-attention, the hinge loss and spectral normalisation",
    departs="no classes; a generator without spectral normalisation; the critic's step size is a tenth of the "
    "generator's instead of four times as large: with larger ones it wins within 20 steps",
    command="tvir train sagan --data MNIST --budget 2500steps",
    duration="15 minutes of 1 CPU core",
    expected="Frechet distance [classifier] 6.25, coverage 0.31, of 2,000 samples",
)
