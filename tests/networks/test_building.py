"""Networks for any size of image, and for vectors."""

import itertools

import pytest
import torch

from tvir.contracts.data import ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.networks.building import copy_weights, networks_for
from tvir.networks.convolutional import feature_sizes
from tvir.networks.normalisation import BatchNormalised, Group, Unnormalised

SIZES = [(8, 8), (9, 8), (13, 30), (16, 17), (28, 28), (8, 100), (33, 64)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_of_any_size_are_read_and_written(size, channels):
    spec = ImageSpec(channels=channels, height=size[0], width=size[1])
    networks = networks_for(spec, 2)
    images = networks.decoder(3, 2, Unnormalised())(torch.randn(2, 3))
    assert images.shape == (2, 2 * channels, *size)
    assert networks.encoder(5)(images[:, :channels]).shape == (2, 5)
    assert networks.discriminator()(images[:, :channels]).shape == (2, 1)


@pytest.mark.slow
def test_the_largest_images_are_read_and_written():
    networks = networks_for(ImageSpec(channels=3, height=256, width=256), 2)
    images = networks.decoder(3, 1, Unnormalised())(torch.randn(1, 3))
    assert images.shape == (1, 3, 256, 256)
    assert networks.discriminator()(images).shape == (1, 1)


def test_vectors_are_read_and_written():
    networks = networks_for(VectorSpec(features=5), 2)
    vectors = networks.decoder(3, 2, BatchNormalised())(torch.randn(4, 3))
    assert vectors.shape == (4, 10)
    assert networks.encoder(6)(vectors[:, :5]).shape == (4, 6)


def test_data_without_networks_is_refused():
    with pytest.raises(UsageError, match="no networks for TextSpec"):
        networks_for(TextSpec(vocabulary=5, length=4), 2)


@pytest.mark.parametrize("side", range(8, 257, 31))
def test_features_shrink_by_halves_to_at_most_seven(side):
    sizes = [height for height, _ in feature_sizes(side, side)]
    assert all(smaller == -(-larger // 2) for larger, smaller in itertools.pairwise(sizes))
    assert 4 <= sizes[-1] <= 7


def outputs_by_colour(spec, normalisation):
    torch.manual_seed(0)
    return networks_for(spec, 4).decoder(3, 1, normalisation).eval()


@pytest.mark.parametrize("normalisation", [Unnormalised(), Group(), BatchNormalised()])
def test_outside_training_an_example_does_not_depend_on_its_neighbours(normalisation):
    decoder = outputs_by_colour(ImageSpec(channels=1, height=12, width=20), normalisation)
    latents = torch.randn(4, 3)
    torch.testing.assert_close(decoder(latents)[:2], decoder(latents[:2]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("spec", [VectorSpec(features=2), ImageSpec(channels=3, height=28, width=28)])
def test_new_networks_keep_numbers_in_range(spec):
    torch.manual_seed(0)
    networks = networks_for(spec, 16)
    examples = torch.rand(64, *spec.shape) * 2 - 1
    assert 0.01 < networks.discriminator()(examples).std() < 10
    assert networks.decoder(16, 1, Unnormalised())(torch.randn(64, 16)).std() < 5


@pytest.mark.parametrize("spec", [VectorSpec(features=2), ImageSpec(channels=1, height=12, width=9)])
@pytest.mark.parametrize("normalise_weights", [False, True])
def test_the_encoders_trunk_fits_into_the_discriminator(spec, normalise_weights):
    networks = networks_for(spec, 2)
    encoder, discriminator = networks.encoder(4), networks.discriminator(normalise_weights=normalise_weights)
    copy_weights(encoder.trunk, discriminator.trunk)
    examples = torch.randn(3, *spec.shape)
    if not normalise_weights:
        torch.testing.assert_close(discriminator.trunk(examples), encoder.trunk(examples))
    ours = dict(encoder.trunk.named_parameters())
    theirs = {
        name.replace("parametrizations.", "").replace(".original", ""): parameter
        for name, parameter in discriminator.trunk.named_parameters()
    }
    assert ours.keys() == theirs.keys()
    for name, parameter in ours.items():
        torch.testing.assert_close(theirs[name], parameter)


def test_buffers_travel_with_weights():
    source, target = BatchNormalised().layer(3), BatchNormalised().layer(3)
    source(torch.randn(10, 3) + 5)
    copy_weights(source, target)
    torch.testing.assert_close(target.running_mean, source.running_mean)


def test_spectral_norm_bounds_every_layer():
    torch.manual_seed(0)
    discriminator = networks_for(ImageSpec(channels=1, height=12, width=12), 4).discriminator(normalise_weights=True)
    for _ in range(30):
        discriminator(torch.randn(1, 1, 12, 12))
    discriminator.eval()
    for module in discriminator.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            largest = torch.linalg.matrix_norm(module.weight.flatten(1), 2)
            assert largest.item() == pytest.approx(1, abs=0.05)
