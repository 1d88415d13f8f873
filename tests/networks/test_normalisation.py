"""Normalisation, on one process and on two."""

import datetime
from pathlib import Path

import pytest
import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing
from torch import nn

from tvir.contracts.errors import UsageError
from tvir.networks.normalisation import (
    BatchNormalisation,
    BatchNormalised,
    ConditionalBatchNormalisation,
    ConditionalBatchNormalised,
    Group,
    Normalisation,
    normalised,
)


def features(*shape):
    return 3 + 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3, 5)])
def test_batch_normalisation_is_that_of_torch(shape):
    ours = BatchNormalisation(4)
    theirs = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(4, momentum=ours.momentum)
    batch = features(*shape)
    torch.testing.assert_close(ours(batch), theirs(batch))
    torch.testing.assert_close(ours.running_variance, theirs.running_var)
    torch.testing.assert_close(ours.eval()(batch), theirs.eval()(batch))


def test_batch_normalisation_makes_every_channel_standard():
    output = BatchNormalisation(4)(features(50, 4, 3, 3))
    assert output.mean((0, 2, 3)).abs().max() < 1e-5
    assert (output.var((0, 2, 3), correction=0) - 1).abs().max() < 1e-3


def test_group_normalisation_uses_a_number_of_groups_that_divides_the_channels():
    for channels in (1, 6, 7, 32):
        assert Group(groups=8).layer(channels)(features(2, channels, 2, 2)).shape == (2, channels, 2, 2)


@pytest.mark.parametrize("name", ["none", "group"])
def test_only_batch_normalisation_mixes_examples(name):
    layer = Normalisation.parse(name).layer(4)
    batch = features(6, 4, 3, 3)
    torch.testing.assert_close(layer(batch)[:2], layer(batch[:2]))
    mixing = BatchNormalised().layer(4)
    assert not torch.allclose(mixing(batch)[:2], mixing(batch[:2]))


def told(condition, channels=2):
    """A conditional layer with weights that are known: gain and shift of a condition of two numbers."""
    layer = ConditionalBatchNormalisation(channels, 2)
    with torch.no_grad():
        layer.read.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 5.0]]))
    return layer(features(6, channels, 3, 3), condition)


def test_conditional_batch_normalisation_is_batch_normalisation_at_first():
    layer = ConditionalBatchNormalised().given(3).layer(4)
    batch = features(6, 4, 3, 3)
    torch.testing.assert_close(normalised(layer, batch, torch.randn(6, 3)), BatchNormalisation(4)(batch))


def test_a_condition_scales_and_shifts_the_features_of_its_own_example():
    plain = BatchNormalisation(2)(features(6, 2, 3, 3))
    condition = torch.zeros(6, 2)
    condition[1] = torch.tensor([0.5, 0.0])
    condition[2] = torch.tensor([0.0, 1.0])
    expected = plain.clone()
    expected[1, 0] *= 1.5
    expected[2, 1] += 5.0
    torch.testing.assert_close(told(condition), expected)


def test_a_layer_without_a_condition_is_told_none():
    for name in ("none", "group", "batch"):
        layer = Normalisation.parse(name).given(3).layer(4)
        batch = features(6, 4)
        torch.testing.assert_close(normalised(layer, batch, torch.randn(6, 3)), layer(batch))


def test_normalising_by_class_without_classes_is_refused_with_what_mends_it():
    with pytest.raises(UsageError, match="--normalisation batch, or the model conditional-gan"):
        ConditionalBatchNormalised().layer(4)


def loss_and_gradients(layer, batch):
    loss = (layer(batch).pow(3) * torch.linspace(-1, 2, 4)).mean()
    return torch.autograd.grad(loss, list(layer.parameters()))


def one_process(rank, folder):
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=2,
        timeout=datetime.timedelta(seconds=60),
    )
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(3, 4), BatchNormalisation(4), nn.Linear(4, 4), BatchNormalisation(4))
    gradients = loss_and_gradients(layer, features(8, 3).chunk(2)[rank])
    for gradient in gradients:
        distributed.all_reduce(gradient)
    if rank == 0:
        torch.save([g / 2 for g in gradients] + [layer[1].running_variance], Path(folder) / "result")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path):
    multiprocessing.spawn(one_process, (str(tmp_path),), nprocs=2)
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(3, 4), BatchNormalisation(4), nn.Linear(4, 4), BatchNormalisation(4))
    gradients = loss_and_gradients(layer, features(8, 3))
    shared = torch.load(tmp_path / "result", weights_only=True)
    for ours, alone in zip(shared, [*gradients, layer[1].running_variance], strict=True):
        torch.testing.assert_close(ours, alone.detach(), atol=1e-5, rtol=1e-4)
