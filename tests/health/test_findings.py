"""Each illness is provoked, and a healthy twin beside it has none."""

import numpy as np
import pytest
import torch
from torch import nn

from tvir.contracts.data import Dataset, Examples, ImageSpec, Modes, VectorSpec
from tvir.contracts.health import Condition
from tvir.contracts.model import Adam, ModelConfig, Phase, Player, Stage
from tvir.health.age import Age, age_at
from tvir.health.check import Case, ModelCheck, find_checks, flags_for
from tvir.health.checks.critic_won import CriticWon
from tvir.health.checks.discriminator_overfitting import DiscriminatorOverfitting
from tvir.health.checks.exploding_gradients import ExplodingGradients
from tvir.health.checks.missing_modes import MissingModes
from tvir.health.checks.posterior_collapse import PosteriorCollapse
from tvir.health.checks.sample_collapse import SampleCollapse
from tvir.health.checks.unused_latents import UnusedLatents
from tvir.health.checks.vanishing_generator_signal import VanishingGeneratorSignal
from tvir.health.examining import examine_log, examine_model
from tvir.health.history import History
from tvir.models.gan.conditional_gan import ConditionalGan
from tvir.models.gan.gan import Gan
from tvir.models.hybrid.bigan import Bigan
from tvir.models.hybrid.kl_autoencoder import KlAutoencoder
from tvir.models.hybrid.vae_gan import VaeGan
from tvir.models.hybrid.vqgan import Vqgan
from tvir.models.vae.vae import Vae
from tvir.objectives.adversarial import Minimax, NonSaturating, Wasserstein

PLANE = VectorSpec(features=2)
FOUR = Modes(centres=np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]), sigma=0.05)


def lines_of(count=40, stage="adversarial", first=1, **curves):
    """Lines of metrics.jsonl; a curve is a number or a function of the line's number."""
    lines = []
    for i in range(count):
        values = {name: value(i) if callable(value) else value for name, value in curves.items()}
        losses = {name.replace("__", "/"): value for name, value in values.items() if "__" in name}
        # A norm that never changes would be that of a player who has not moved.
        norms = {name: value * (1 + 1e-6 * i) for name, value in values.items() if "__" not in name}
        lines.append(
            {"stage": stage, "step": first + i, "fraction": (i + 1) / count, "losses": losses, "gradient_norms": norms}
        )
    return lines


def log(*given, **curves):
    return History(lines_of(*given, **curves))


def game_log(**curves):
    return log(**({"critic__adversarial": 0.7, "generator": 1.0, "critic": 1.0} | curves))


MANY = VectorSpec(features=2, classes=tuple(map(str, range(50))))


class Shifted(nn.Module):
    """Logits that depend on the first number of an example."""

    def __init__(self, scale=1.0, shift=0.0):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, examples):
        return self.scale * examples[:, :1] + self.shift


class Places(nn.Module):
    """A generator that goes through some places of the plane, whatever its latents say."""

    def __init__(self, places):
        super().__init__()
        self.places = torch.as_tensor(places, dtype=torch.float32)

    def forward(self, latents):
        return self.places[torch.arange(len(latents)) % len(self.places)]


def toy(train=None, validation=None, modes=FOUR):
    rows = np.tile(FOUR.centres, (100, 1)).astype(np.float32)
    parts = [Examples(PLANE, rows if part is None else part) for part in (train, validation, None)]
    return Dataset(reference="four", fingerprint="0", train=parts[0], validation=parts[1], test=parts[2], modes=modes)


def gan(places=FOUR.centres, critic=None, **settings):
    model = Gan(PLANE, Gan.Config(width=2, latent=2, batch_size=4, **settings))
    model.generator = Places(places)
    model.discriminator = critic or Shifted(0.01)
    return model


def case(model, dataset=None, history=None):
    return Case(model, dataset or toy(), history or game_log(), size=400)


def ill(check, *given):
    with torch.no_grad():
        found = check.read(*given) if len(given) > 1 else check.examine(*given)
    assert found is not None
    return found.condition is Condition.ILL


def test_a_critic_near_zero_for_long_has_won():
    config = Gan.Config(loss=NonSaturating())
    assert ill(CriticWon(), game_log(critic__adversarial=0.01), config)
    assert not ill(CriticWon(), game_log(critic__adversarial=1.2), config)


def test_a_critic_that_was_ahead_only_for_a_while_has_not_won():
    early = game_log(critic__adversarial=lambda i: 0.01 if i < 25 else 1.0)
    assert not ill(CriticWon(), early, Gan.Config(loss=NonSaturating()))


def test_nobody_wins_where_the_loss_has_no_end():
    assert CriticWon().read(game_log(critic__adversarial=0.0), Gan.Config(loss=Wasserstein())) is None


def test_nothing_is_concluded_from_a_short_log():
    short = log(15, critic__adversarial=0.0, critic=1.0)
    assert CriticWon().read(short, Gan.Config()) is None
    assert ExplodingGradients().read(short, Gan.Config()) is None


def test_gradients_explode_where_they_and_the_loss_run_away():
    config = Gan.Config()
    runaway = game_log(critic=lambda i: 1.5**i, critic__adversarial=lambda i: -(1.4**i))
    found = ExplodingGradients().read(runaway, config)
    assert found is not None
    assert found.condition is Condition.ILL
    assert "--critic-learning-rate 0.00025" in found.flags
    assert not ill(ExplodingGradients(), game_log(), config)


def test_gradients_that_grow_while_a_likelihood_falls_are_healthy():
    scale_shrinks = log(autoencoder=lambda i: 1.5**i, autoencoder__reconstruction=lambda i: 5.0 - 0.2 * i)
    assert not ill(ExplodingGradients(), scale_shrinks, Vae.Config())


def test_a_stage_is_judged_by_its_own_curve():
    before = lines_of(40, stage="autoencoding", autoencoder=1e-3, autoencoder__reconstruction=1e-3)
    after = lines_of(40, first=41, critic=1.0, generator=1.0, critic__adversarial=0.7)
    both = History([*before, *after])
    assert not ill(ExplodingGradients(), both, Gan.Config())
    assert len(both.norms("critic")) == 40


def test_a_norm_repeated_by_the_log_counts_once():
    lines = [
        {"stage": "s", "losses": {"a/b": 1.0}, "gradient_norms": {"p": norm}} for norm in (1.0, 1.0, 2.0, 2.0, 1.0)
    ]
    assert History(lines).norms("p").tolist() == [1.0, 2.0, 1.0]


def test_a_saturated_loss_tells_the_generator_nothing():
    # d/dx of log(1 - sigmoid(x)) at x = -20 is -2e-9; of the non-saturating loss it is -1.
    hopeless = Shifted(0.0, -20.0)
    assert ill(VanishingGeneratorSignal(), case(gan(critic=hopeless, loss=Minimax())))
    assert not ill(VanishingGeneratorSignal(), case(gan(critic=hopeless, loss=NonSaturating())))


def test_the_slope_at_logits_of_zero_is_one_half():
    found = VanishingGeneratorSignal().examine(case(gan(critic=Shifted(0.0), loss=Minimax())))
    assert found is not None
    assert found.seen["slope"] == pytest.approx(0.5)


def test_gradients_of_the_generator_that_dry_up_are_noticed():
    drying = game_log(generator=lambda i: 0.5**i)
    assert ill(VanishingGeneratorSignal(), case(gan(loss=NonSaturating()), history=drying))


def test_a_discriminator_that_knows_training_examples_by_heart_is_noticed():
    spread = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    real = spread + np.float32([1.0, 0.0])
    fakes = spread[:50] + np.float32([-1.0, 0.0])
    judged = gan(places=fakes, critic=Shifted())
    # Held-out examples get the logits of fakes: r_v = 1; those of training examples: r_v = 0.
    by_heart = DiscriminatorOverfitting().examine(case(judged, toy(train=real, validation=spread - np.float32([1, 0]))))
    fair = DiscriminatorOverfitting().examine(case(judged, toy(train=real, validation=real[::-1].copy())))
    assert by_heart is not None
    assert fair is not None
    assert by_heart.condition is Condition.ILL
    assert by_heart.seen["ratio"] == pytest.approx(1, abs=0.15)
    assert fair.condition is Condition.WELL
    assert fair.seen["ratio"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("kind", [VaeGan, Bigan], ids=lambda kind: kind.__name__)
def test_a_critic_of_a_hybrid_that_knows_training_examples_by_heart_is_noticed(kind):
    spread = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    model = kind(PLANE, kind.smallest())
    model.discriminator = Shifted()
    model.decoder = Places(spread[:50] - np.float32([1, 0]))
    by_heart = toy(train=spread + np.float32([1, 0]), validation=spread - np.float32([1, 0]))
    assert ill(DiscriminatorOverfitting(), case(model, by_heart))
    fair = toy(train=spread + np.float32([1, 0]), validation=spread[::-1] + np.float32([1, 0]))
    assert not ill(DiscriminatorOverfitting(), case(model, fair))


class Brightness(nn.Module):
    """Logits of patches: the brightness of an image in one of them, 0 in the other."""

    def forward(self, images):
        bright = images.flatten(1).mean(1)
        return torch.stack([bright, torch.zeros_like(bright)], 1)[:, None, None]


@pytest.mark.parametrize("kind", [KlAutoencoder, Vqgan], ids=lambda kind: kind.__name__)
def test_a_critic_of_reconstructions_is_asked_about_reconstructions(kind):
    spec = ImageSpec(channels=1, height=8, width=8)
    rows = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    parts = [Examples(spec, part) for part in (rows, rows[:20], rows[:20])]
    dataset = Dataset(reference="noise", fingerprint="0", train=parts[0], validation=parts[1], test=parts[2])
    model = kind(spec, kind.smallest()).eval()
    model.discriminator = Brightness()
    seen = DiscriminatorOverfitting().examine(case(model, dataset))
    assert seen is not None
    train = spec.to_model(parts[0].take(np.arange(60)))
    assert seen.seen["train"] == pytest.approx(float(train.mean()) / 2, abs=1e-6)
    assert seen.seen["fake"] == pytest.approx(float(model.reconstruct(train).mean()) / 2, abs=1e-4)


def test_fakes_of_a_conditional_model_are_of_the_classes_that_are_judged():
    labels = np.arange(400) % 2
    labelled = VectorSpec(features=2, classes=("left", "right"))
    parts = [Examples(labelled, toy().train.rows, labels) for _ in range(3)]
    dataset = Dataset(reference="sides", fingerprint="0", train=parts[0], validation=parts[1], test=parts[2])
    model = ConditionalGan(labelled, ConditionalGan.smallest())
    model.decode = lambda latents, condition: condition[:, None].float().expand(-1, 2)
    fakes, asked = case(model, dataset).fakes
    assert asked is not None
    assert torch.equal(fakes[:, 0].long(), asked)
    assert torch.equal(asked, case(model, dataset).train[1])


def test_a_critic_that_tells_nothing_apart_has_not_overfitted():
    assert not ill(DiscriminatorOverfitting(), case(gan(critic=Shifted(0.0, 3.0))))


def test_a_critic_that_never_moved_is_not_judged():
    pretraining = log(autoencoder=1.0, autoencoder__reconstruction=1.0)
    assert DiscriminatorOverfitting().examine(case(gan(), history=pretraining)) is None
    assert VanishingGeneratorSignal().examine(case(gan(), history=pretraining)) is None


@pytest.mark.parametrize(("places", "found"), [(FOUR.centres, 4), (FOUR.centres[:3], 3), (FOUR.centres + 5, 0)])
def test_modes_of_a_toy_are_counted(places, found):
    finding = MissingModes().examine(case(gan(places)))
    assert finding is not None
    assert (finding.seen["found"], finding.seen["modes"]) == (found, 4)
    assert (finding.condition is Condition.ILL) == (found < 4)


def test_a_mode_made_seldom_is_missing():
    seldom = np.concatenate([np.tile(FOUR.centres[:3], (33, 1)), FOUR.centres[3:]])
    assert ill(MissingModes(), case(gan(seldom)))


def test_a_mode_is_not_missing_where_too_few_samples_were_to_be_expected():
    few = Case(gan(FOUR.centres[:3]), toy(), game_log(), size=40)
    assert MissingModes().examine(few) is None
    enough = Case(gan(FOUR.centres[:3]), toy(), game_log(), size=60)
    assert ill(MissingModes(), enough)


def test_classes_that_are_never_made_are_missing():
    labelled = Dataset(
        reference="sides",
        fingerprint="0",
        train=toy().train,
        validation=Examples(VectorSpec(features=2, classes=("left", "right")), toy().validation.rows),
        test=toy().test,
    )
    object.__setattr__(labelled.train, "spec", labelled.validation.spec)

    def side(rows):
        return (rows[:, 0] > 0).astype(np.int64)

    one_sided = Case(gan([[1.0, 0.0]]), labelled, game_log(), size=200, classify=side)
    both_sides = Case(gan([[1.0, 0.0], [-1.0, 0.0]]), labelled, game_log(), size=200, classify=side)
    assert ill(MissingModes(), one_sided)
    assert not ill(MissingModes(), both_sides)
    assert MissingModes().examine(Case(gan(), labelled, game_log())) is None


def test_modes_of_which_too_few_samples_are_expected_are_not_missed():
    one_of_many = dict.fromkeys(("train", "validation", "test"), Examples(MANY, np.zeros((100, 2), np.float32)))
    labelled = Dataset(reference="many", fingerprint="0", **one_of_many)

    def spread(rows):
        return np.arange(len(rows)) % 50

    assert MissingModes().examine(Case(gan(), labelled, game_log(), size=200, classify=spread)) is None


def test_samples_that_are_all_alike_have_collapsed():
    assert ill(SampleCollapse(), case(gan([[1.0, 0.0]])))
    assert not ill(SampleCollapse(), case(gan()))


class Encoder(nn.Module):
    """A posterior of which the first latents follow the example and the others the prior."""

    def __init__(self, active, latents):
        super().__init__()
        self.active, self.latents = active, latents

    def forward(self, examples):
        mean = torch.zeros(len(examples), self.latents)
        mean[:, : self.active] = examples[:, :1]
        return torch.cat([mean, torch.zeros_like(mean)], 1)


def vae(active, latents):
    model = Vae(PLANE, Vae.Config(width=2, latent=latents))
    model.autoencoder.encoder = Encoder(active, latents)
    return model


LEARNT = log(autoencoder=1.0, autoencoder__divergence=1.0)


def test_a_posterior_that_follows_the_prior_has_collapsed():
    found = PosteriorCollapse().examine(case(vae(0, 8), history=LEARNT))
    assert found is not None
    assert found.condition is Condition.ILL
    assert found.seen == {"active": 0, "latents": 8, "divergence": pytest.approx(0)}
    assert found.flags == ("--beta-warmup 0.3", "--beta 0.1")
    assert not ill(PosteriorCollapse(), case(vae(1, 8), history=LEARNT))


def test_unused_latents_are_a_remark_that_names_how_many_are_enough():
    found = UnusedLatents().examine(case(vae(3, 8), history=LEARNT))
    assert found is not None
    assert found.condition is Condition.REMARK
    assert found.flags == ("--latent 4",)
    # Mean x of the first latent, variance 1: KL = E[x^2] / 2, and x is 1, 0, -1, 0 in turn.
    assert found.seen["largest"] == pytest.approx(0.25)
    assert found.seen["smallest"] == pytest.approx(0)
    well = UnusedLatents().examine(case(vae(4, 8), history=LEARNT))
    assert well is not None
    assert well.is_well


def test_an_encoder_that_learns_without_a_divergence_has_no_posterior_to_collapse():
    plain = log(autoencoder=1.0, autoencoder__reconstruction=1.0)
    assert PosteriorCollapse().examine(case(vae(0, 8), history=plain)) is None
    assert UnusedLatents().examine(case(vae(0, 8), history=plain)) is None


def test_only_flags_that_the_model_has_and_that_change_something_are_named():
    config = Gan.Config(latent=16)
    wanted = (("latent", 16), ("latent", 8), ("no_such_setting", 1), ("latent", -1), ("critic_steps", 2))
    assert flags_for(config, *wanted) == ("--latent 8", "--critic-steps 2")
    assert flags_for(ModelConfig(), ("latent", 8)) == ()


def test_a_check_that_fails_is_said_and_the_others_go_on():
    constant = toy(validation=np.zeros((100, 2), dtype=np.float32))
    found = {finding.check: finding for finding in examine_model(case(gan(), constant))}
    assert found["sample_collapse"].condition is Condition.UNKNOWN
    assert "all held-out examples are one" in found["sample_collapse"].reason
    assert found["missing_modes"].condition is Condition.WELL


def test_what_is_seen_too_early_in_the_budget_is_no_illness():
    found = {finding.check: finding for finding in examine_model(case(gan([[9.0, 9.0]])), age=Age(fraction=0.14))}
    for check in ("missing_modes", "sample_collapse"):
        assert found[check].condition is Condition.EARLY
        assert found[check].flags == ()
        assert found[check].seen
    grown = [finding.condition for finding in examine_model(case(gan([[9.0, 9.0]])), age=Age())]
    assert grown.count(Condition.ILL) == 2


@pytest.mark.parametrize("check", find_checks(), ids=lambda check: check.name)
def test_no_check_speaks_of_a_warm_up_however_small_the_budget(check):
    assert not check.is_due(Age(fraction=1.0, steps=0))
    assert not check.is_due(Age(fraction=1.0, steps=check.fewest_steps - 1))
    assert check.is_due(Age(fraction=1.0, steps=check.fewest_steps))


def test_samples_are_nobodys_concern_before_the_last_stage():
    of_samples = ("missing_modes", "sample_collapse", "forgotten_texts", "repeated_phrases")
    for check in find_checks():
        assert check.is_due(Age(stages_left=1)) != (check.name in of_samples)


def stage_of(name, warmup):
    player = Player(name="generator", parameters=[], optimiser=Adam(warmup_steps=warmup))
    return Stage(name=name, phases=[Phase(name="generator", player=player, loss=lambda batch: {})])


def test_steps_are_counted_from_the_warm_up_of_the_present_stage():
    stages = [stage_of("autoencoding", 50), stage_of("adversarial", 200)]
    lines = lines_of(120, stage="autoencoding", a__b=1.0)
    assert age_at(History(lines, stages), stages, 0.1) == Age(fraction=0.1, steps=70, stages_left=1)
    lines += lines_of(30, stage="adversarial", first=121, a__b=1.0)
    assert age_at(History(lines, stages), stages, 0.2) == Age(fraction=0.2, steps=-170)
    assert age_at(History([], stages), stages, 0.0) == Age(fraction=0.0, steps=0, stages_left=1)
    assert age_at(History([]), [], 0.5) == Age(fraction=0.5)


def test_a_critic_that_won_only_while_the_generator_warmed_up_has_not_won():
    stages, config = [stage_of("adversarial", 200)], Gan.Config(loss=NonSaturating())
    warming = lines_of(200, critic__adversarial=0.01, critic=1.0)
    assert CriticWon().read(History(warming, stages), config) is None
    caught_up = [*warming, *lines_of(20, first=201, critic__adversarial=1.0, critic=1.0)]
    assert not ill(CriticWon(), History(caught_up, stages), config)
    still_ahead = [*warming, *lines_of(120, first=201, critic__adversarial=0.01, critic=1.0)]
    history = History(still_ahead, stages)
    (found,) = examine_log(history, config, checks=[CriticWon()], age=age_at(history, stages, 0.3))
    assert found.condition is Condition.ILL


def test_losses_that_rise_from_nothing_once_the_warm_up_is_over_have_not_exploded():
    stages = [stage_of("adversarial", 200)]
    ahead = lines_of(200, critic__adversarial=0.001, critic=0.01, generator=1.0)
    even = lines_of(200, first=201, critic__adversarial=0.6, critic=1.0, generator=1.0)
    assert ill(ExplodingGradients(), History([*ahead, *even]), Gan.Config())
    assert not ill(ExplodingGradients(), History([*ahead, *even], stages), Gan.Config())


def test_a_term_that_rises_from_nothing_beside_the_others_has_not_exploded():
    wakes = log(autoencoder=lambda i: 1.2**i, autoencoder__divergence=lambda i: 0.5 * i, autoencoder__reconstruction=99)
    assert not ill(ExplodingGradients(), wakes, Vae.Config())


def test_losses_of_a_stage_that_is_over_say_nothing_of_the_present_one():
    before = lines_of(40, stage="autoencoding", autoencoder=1.0, autoencoder__divergence=lambda i: 2.0**i)
    after = lines_of(40, first=41, critic=lambda i: 1.2**i, critic__adversarial=0.7)
    assert not ill(ExplodingGradients(), History([*before, *after]), Gan.Config())


def test_a_healthy_game_and_a_healthy_autoencoder_have_no_finding():
    game = [*examine_model(case(gan(critic=Shifted(0.01))))]
    latents = [*examine_model(case(vae(5, 8), history=LEARNT), checks=[PosteriorCollapse(), UnusedLatents()])]
    assert {finding.check for finding in game} >= {"discriminator_overfitting", "missing_modes", "sample_collapse"}
    assert len(latents) == 2
    assert all(finding.is_well for finding in [*game, *latents])


def test_every_check_is_found_and_says_what_it_looks_for():
    names = [check.name for check in find_checks()]
    assert len(names) == len(set(names)) == 10
    assert all("Reference:" in (type(check).__doc__ or "") for check in find_checks())


def test_the_model_is_left_as_it_was():
    model = gan(critic=Shifted())
    model.train()
    before = torch.get_rng_state()
    assert [check for check in find_checks() if isinstance(check, ModelCheck)]
    list(examine_model(case(model)))
    assert model.training
    assert torch.equal(before, torch.get_rng_state())
