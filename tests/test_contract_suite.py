"""One suite over every discovered model: what the contracts promise, each model must hold.

Nothing here names a model. A new file under ``models`` is tested from the moment it exists.
"""

import dataclasses
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from tvir.contracts.data import Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.diagram import Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import (
    Batch,
    Conditional,
    DecodesLatents,
    EncodesData,
    HasLikelihood,
    HasLikelihoodBound,
    JudgesExamples,
    ModelConfig,
)
from tvir.contracts.noise import Noise
from tvir.models.catalogue import catalogue

SPECS = {
    "square": ImageSpec(channels=1, height=8, width=8, classes=("zero", "one", "two")),
    "wide, colour": ImageSpec(channels=3, height=9, width=12, classes=("zero", "one", "two")),
    "vector": VectorSpec(features=2, classes=("zero", "one", "two")),
    "text": TextSpec(
        vocabulary=6, length=7, classes=("zero", "one", "two"), pieces=(b"", b"a", b"b", b"c", b"d", b"e")
    ),
}


def cases():
    for name, entry in catalogue().items():
        if entry.model is None:
            yield pytest.param(None, None, id=name, marks=pytest.mark.skip(f"needs the extra {entry.extra}"))
            continue
        for label, spec in SPECS.items():
            if isinstance(spec, entry.model.specs):
                yield pytest.param(entry.model, spec, id=f"{name}-{label}")


every_model = pytest.mark.parametrize(("model_class", "spec"), list(cases()))


@cache
def examples(spec, count=24):
    generator = np.random.default_rng(0)
    if isinstance(spec, ImageSpec):
        rows = generator.integers(0, 256, (count, *spec.row_shape), dtype=np.uint8)
        return Examples(spec, rows, np.arange(count) % len(spec.classes))
    if isinstance(spec, TextSpec):
        rows = generator.integers(1, spec.vocabulary, (count, spec.length), dtype=spec.row_dtype)
        rows[np.arange(spec.length) >= generator.integers(1, spec.length + 1, (count, 1))] = 0
        return Examples(spec, rows, np.arange(count) % len(spec.classes))
    rows = generator.normal(size=(count, *spec.row_shape)).astype(np.float32)
    return Examples(spec, rows, np.arange(count) % len(spec.classes))


def build(model_class, spec, seed=0):
    torch.manual_seed(seed)
    return model_class(spec, model_class.smallest())


def batch_for(spec, step, table=0, count=8):
    indices = np.arange(step * count, (step + 1) * count) % len(examples(spec))
    return Batch(
        data=spec.to_model(examples(spec).take(indices)),
        labels=examples(spec).labels_at(indices),
        noise=Noise(1000 * step + table, count=count),
        step=step,
        progress=0.5,
    )


def gradients(phase, batch):
    losses = phase.loss(batch)
    parameters = list(phase.player.parameters)
    found = torch.autograd.grad(torch.stack(list(losses.values())).sum(), parameters, allow_unused=True)
    return losses, dict(zip(parameters, found, strict=True))


def train_a_little(model, spec, steps=2):
    """A bare loop: the suite is about models, not about the trainer."""
    model.train()
    for stage in model.stages():
        if stage.prepare:
            stage.prepare(examples(spec))
        optimisers = {
            phase.player.name: torch.optim.SGD(list(phase.player.parameters), lr=1e-3) for phase in stage.phases
        }
        for step in range(steps):
            for table, phase in enumerate(stage.phases):
                if step % phase.every == 0:
                    _, found = gradients(phase, batch_for(spec, step, table))
                    for parameter, gradient in found.items():
                        parameter.grad = gradient
                    optimisers[phase.player.name].step()
    return model


@every_model
def test_it_is_described_for_people(model_class, spec):
    assert model_class.__doc__
    assert any(character.isdigit() for character in model_class.paper), "a paper has a year"


@every_model
def test_its_settings_are_frozen_and_survive_json(model_class, spec):
    smallest = model_class.smallest()
    assert isinstance(smallest, ModelConfig)
    for config in (smallest, model_class.Config(), model_class.Config.from_json(model_class.settings_for(spec))):
        assert model_class.Config.from_json(config.as_json()) == config
        with pytest.raises(dataclasses.FrozenInstanceError):
            config.batch_size = 3


@every_model
def test_the_shares_of_its_stages_make_a_whole(model_class, spec):
    stages = build(model_class, spec).stages()
    assert sum(stage.share for stage in stages) == pytest.approx(1)
    assert len({stage.name for stage in stages}) == len(stages)
    for stage in stages:
        assert len({phase.name for phase in stage.phases}) == len(stage.phases)


@every_model
def test_every_phase_gives_finite_losses_and_moves_its_player(model_class, spec):
    model = build(model_class, spec).train()
    for stage in model.stages():
        if stage.prepare:
            stage.prepare(examples(spec))
        for table, phase in enumerate(stage.phases):
            losses, found = gradients(phase, batch_for(spec, 0, table))
            assert all(loss.ndim == 0 and torch.isfinite(loss) for loss in losses.values())
            present = [gradient for gradient in found.values() if gradient is not None]
            assert all(torch.isfinite(gradient).all() for gradient in present)
            assert any(gradient.any() for gradient in present), f"{phase.name} teaches nothing"


@every_model
def test_no_two_players_own_the_same_weight(model_class, spec):
    for stage in build(model_class, spec).stages():
        players = {phase.player.name: phase.player for phase in stage.phases}
        owned = [id(parameter) for player in players.values() for parameter in player.parameters]
        assert len(owned) == len(set(owned))


@every_model
def test_a_step_leaves_nothing_behind_but_weights(model_class, spec):
    """A resumed run must go on as if it had never stopped: the second step may not know of the first."""
    first, second = build(model_class, spec), build(model_class, spec)
    train_a_little(first, spec)
    train_a_little(second, spec)
    fresh = build(model_class, spec)
    fresh.load_state_dict(first.state_dict())
    for known, unknown in zip(first.stages()[-1].phases, fresh.stages()[-1].phases, strict=True):
        losses = [gradients(phase, batch_for(spec, 7))[0] for phase in (known, unknown)]
        for term in losses[0]:
            assert torch.equal(losses[0][term], losses[1][term]), term
    for name, value in first.state_dict().items():
        assert value.shape == second.state_dict()[name].shape


@every_model
def test_sample_i_of_a_seed_does_not_depend_on_batches(model_class, spec):
    model = train_a_little(build(model_class, spec), spec)
    whole = model.sample(20, seed=5)
    assert whole.shape == (20, *spec.shape)
    assert torch.isfinite(whole).all()
    torch.testing.assert_close(model.sample(20, seed=5, chunk=3), whole, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.sample(4, seed=5, first=16), whole[16:], rtol=1e-4, atol=1e-5)
    assert torch.equal(model.sample(20, seed=5), whole)
    assert not torch.equal(model.sample(20, seed=6), whole)
    assert model.sample(0).shape == (0, *spec.shape)


@every_model
def test_sampling_leaves_the_model_in_the_mode_it_was_in(model_class, spec):
    model = build(model_class, spec).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.sample(3)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


@every_model
def test_weights_loaded_into_a_fresh_model_give_the_same_samples(model_class, spec):
    model = train_a_little(build(model_class, spec), spec)
    other = build(model_class, spec, seed=1)
    other.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(other.sample(6, seed=2), model.sample(6, seed=2))


@every_model
def test_the_same_seed_builds_the_same_weights(model_class, spec):
    for one, two in zip(build(model_class, spec).parameters(), build(model_class, spec).parameters(), strict=True):
        assert torch.equal(one, two)


@every_model
def test_its_diagram_is_connected_and_shows_all_its_weights(model_class, spec):
    model = build(model_class, spec)
    diagram = model.diagram()
    names = [box.name for box in diagram.boxes]
    assert len(set(names)) == len(names)
    for arrow in diagram.arrows:
        assert arrow.source in names
        assert arrow.target in names
    touched = {end for arrow in diagram.arrows for end in (arrow.source, arrow.target)}
    assert touched == set(names) or len(names) == 1
    networks = [box.module for box in diagram.boxes if box.role is Role.NETWORK]
    assert all(isinstance(network, nn.Module) for network in networks)
    shown = {id(parameter) for network in networks for parameter in network.parameters()}
    hidden = sum(parameter.numel() for parameter in model.parameters() if id(parameter) not in shown)
    assert hidden <= 0.01 * sum(parameter.numel() for parameter in model.parameters()) + 1


@every_model
def test_a_decoder_decodes_latents_of_the_declared_shape(model_class, spec):
    if not issubclass(model_class, DecodesLatents):
        pytest.skip("does not decode latents")
    model = train_a_little(build(model_class, spec), spec).eval()
    latents = model.sample_prior(Noise(0, count=5))
    assert latents.shape == (5, *model.latent_shape)
    assert model.decode(latents).shape == (5, *spec.shape)


@every_model
def test_samples_begin_with_the_latents_that_are_given_instead_of_the_prior(model_class, spec):
    """What `--latent` fits would otherwise be ignored without a word."""
    if not issubclass(model_class, DecodesLatents):
        pytest.skip("does not decode latents")
    model = build(model_class, spec)
    asked = []

    def zeros(noise):
        asked.append(noise.count)
        return torch.zeros(noise.count, *model.latent_shape)

    with model.latents_from(zeros):
        model.sample(3)
    assert asked == [3]
    model.sample(3)
    assert asked == [3]


@every_model
def test_an_encoder_reconstructs_in_the_shape_of_the_data(model_class, spec):
    if not issubclass(model_class, EncodesData):
        pytest.skip("does not encode")
    model = train_a_little(build(model_class, spec), spec).eval()
    data = batch_for(spec, 0).data
    posterior = model.encode(data)
    assert posterior.mean.shape == (len(data), *model.latent_shape)
    assert posterior.sample().shape == posterior.mean.shape
    assert model.reconstruct(data).shape == data.shape


@every_model
def test_an_exact_likelihood_is_finite_and_per_example(model_class, spec):
    if not issubclass(model_class, HasLikelihood):
        pytest.skip("no exact likelihood")
    log_prob = train_a_little(build(model_class, spec), spec).eval().log_prob(batch_for(spec, 0).data)
    assert log_prob.shape == (8,)
    assert torch.isfinite(log_prob).all()


@every_model
def test_more_importance_samples_never_loosen_the_bound_on_average(model_class, spec):
    if not issubclass(model_class, HasLikelihoodBound):
        pytest.skip("no likelihood bound")
    model = train_a_little(build(model_class, spec), spec).eval()
    data = batch_for(spec, 0).data.repeat(16, *[1] * len(spec.shape))
    noise = [Noise(seed, count=len(data)) for seed in (1, 2)]
    one, many = model.elbo(data, noise[0]), model.elbo(data, noise[1], samples=16)
    assert one.shape == (len(data),)
    assert torch.isfinite(one).all()
    # Burda et al. 2016, theorem 1, up to the noise of 128 draws.
    assert many.mean() >= one.mean() - 3 * one.std() / len(one) ** 0.5


@every_model
def test_a_critic_gives_each_example_a_logit_of_its_own(model_class, spec):
    if not issubclass(model_class, JudgesExamples):
        pytest.skip("judges no examples")
    model = train_a_little(build(model_class, spec), spec).eval()
    given = batch_for(spec, 0)
    together = model.judge(given.data, given.labels).flatten()
    alone = [model.judge(given.data[i : i + 1], given.labels[i : i + 1]).flatten() for i in range(len(given.data))]
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-4, atol=1e-5)


@every_model
def test_a_conditional_model_takes_a_class_for_every_sample(model_class, spec):
    if not issubclass(model_class, Conditional):
        pytest.skip("takes no class")
    model = train_a_little(build(model_class, spec), spec)
    assert model.sample(3, condition=torch.tensor([0, 1, 2])).shape == (3, *spec.shape)


@every_model
def test_a_class_that_the_data_does_not_have_is_refused(model_class, spec):
    if not issubclass(model_class, Conditional):
        pytest.skip("takes no class")
    with pytest.raises(UsageError, match="there is no class 3"):
        build(model_class, spec).sample(2, condition=torch.tensor([0, 3]))


@every_model
def test_classes_that_nobody_asks_for_are_as_frequent_as_in_the_data(model_class, spec):
    if not issubclass(model_class, Conditional):
        pytest.skip("takes no class")
    model = build(model_class, spec)
    rows = examples(spec).rows
    (prepare,) = [stage.prepare for stage in model.stages() if stage.prepare][-1:]
    prepare(Examples(spec, rows, np.ones(len(rows), dtype=np.int64)))
    asked = model.sample(4, condition=torch.ones(4, dtype=torch.int64), seed=3)
    torch.testing.assert_close(model.sample(4, seed=3), asked)


@every_model
def test_a_critic_gives_every_example_a_logit_of_its_own(model_class, spec):
    if not issubclass(model_class, JudgesExamples):
        pytest.skip("judges no single examples")
    model = train_a_little(build(model_class, spec), spec).eval()
    batch = batch_for(spec, 0)
    asked = batch.labels if issubclass(model_class, Conditional) else None
    logits = model.judge(batch.data, asked).flatten()
    assert logits.shape == (8,)
    alone = model.judge(batch.data[5:6], None if asked is None else asked[5:6]).flatten()
    torch.testing.assert_close(alone, logits[5:6], rtol=1e-4, atol=1e-5)
