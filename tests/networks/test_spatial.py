"""Latents that keep their place, for images of any size."""

import pytest
import torch

from tvir.contracts.data import ImageSpec
from tvir.networks.normalisation import Unnormalised
from tvir.networks.spatial import SpatialDecoder, SpatialReader, coarsest_size


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (28, 28), (13, 40)])
def test_images_of_any_size_are_read_to_places_and_written_from_them(size):
    spec = ImageSpec(channels=3, height=size[0], width=size[1])
    images = torch.rand(2, *spec.shape)
    latents = SpatialReader(spec, 4, 5)(images)
    assert latents.shape == (2, 5, *coarsest_size(spec))
    assert SpatialDecoder(spec, 4, 5, Unnormalised())(latents).shape == images.shape


def test_a_place_reads_and_writes_its_own_part_of_the_image():
    torch.manual_seed(0)
    spec = ImageSpec(channels=1, height=48, width=48)
    reader, decoder = SpatialReader(spec, 8, 2), SpatialDecoder(spec, 8, 2, Unnormalised())
    images = torch.rand(1, *spec.shape)
    changed = images.clone()
    changed[..., :4, :4] += 1
    moved = (reader(images) - reader(changed)).abs().sum(1)[0]
    assert moved[0, 0] > 0
    assert moved[-1, -1] == 0
    latents = torch.randn(1, 2, *coarsest_size(spec))
    other = latents.clone()
    other[..., 0, 0] += 1
    drawn = (decoder(latents) - decoder(other)).abs().sum(1)[0]
    assert drawn[:8, :8].sum() > 0
    assert drawn[-8:, -8:].sum() == 0
