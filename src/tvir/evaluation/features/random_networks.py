"""E2: five small random convolutional networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tvir.contracts.data import Array, Dataset, ImageSpec
from tvir.contracts.noise import mix_seed
from tvir.evaluation.bodies import LARGEST_SIDE, AverageLargeImages, look_through
from tvir.evaluation.extractor import FeatureExtractor, Report, content_hash

_NETWORKS = 5
_FEATURES = 16
"""Of one network."""

_CHANNELS = 32
_RECIPE = f"random-1 networks={_NETWORKS} features={_FEATURES} channels={_CHANNELS} side={LARGEST_SIDE}"


class RandomNetworks(FeatureExtractor):
    """The outputs of five convolutional networks with seeded random weights, side by side, divided by sqrt(5).

    So the squared distance between two images is the mean of their squared distances through the five networks, the
    bandwidth of a kernel is set by that mean, and KID's kernel x.y / D is the mean of the five kernels' arguments.
    Every metric is thus computed once, through the mean geometry, instead of five times. It is not the mean of five
    metrics where a metric is no linear function of squared distances: a Frechet distance here is at least the mean of
    the five, because moving all five outputs at once cannot cost less than moving each by itself.

    The weights depend on nothing but their fixed seeds and the number of channels, so two datasets of the same kind
    share the space.

    Reference:
        On Random Weights and Unsupervised Feature Learning (Saxe et al., ICML 2011).

    Known failure:
        Over-reacts to blur and contrast and nearly misses a dropped class.
    """

    level = 2

    def __init__(self, spec: ImageSpec) -> None:
        self._spec = spec
        networks = [_network(spec.channels, number) for number in range(_NETWORKS)]
        self._whole = _SideBySide(networks)
        weights = self._whole.state_dict()
        self._name = f"random5@{content_hash(_RECIPE, *(weights[key] for key in sorted(weights)))}"

    @classmethod
    def prepare(
        cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()
    ) -> RandomNetworks | None:
        del seed, report, weights
        return cls(dataset.spec) if isinstance(dataset.spec, ImageSpec) else None

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        return look_through(self._whole, self._spec, rows, width=_NETWORKS * _FEATURES)


class _SideBySide(nn.Module):
    """Outputs of several networks on the same images, joined so that squared distances average."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self._shrink = AverageLargeImages()
        self._networks = nn.ModuleList(networks)

    def forward(self, images: Tensor) -> Tensor:
        small = self._shrink(images)
        return torch.cat([network(small) for network in self._networks], 1) / len(self._networks) ** 0.5


def _network(channels: int, number: int) -> nn.Sequential:
    # The layers' own first weights are drawn from the global generator, which is not ours to move.
    with torch.random.fork_rng(devices=[]):
        network = nn.Sequential(
            nn.Conv2d(channels, _CHANNELS, 5, stride=2, padding=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * _CHANNELS, _FEATURES),
        )
    drawing = np.random.default_rng(mix_seed("random network", number, channels))
    with torch.no_grad():
        for weight in network.parameters():
            # He's scale keeps the outputs of the order of the pixels; biases shift where the rectifiers bend.
            scale = (2 / weight[0].numel()) ** 0.5 if weight.ndim > 1 else 0.1
            weight.copy_(torch.from_numpy((scale * drawing.standard_normal(tuple(weight.shape))).astype(np.float32)))
    return network.requires_grad_(False)
