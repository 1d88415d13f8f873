"""E1 without labels: a small network that has learnt to tell the training images apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import Array, Dataset, Examples, ImageSpec
from tvir.contracts.noise import mix_seed
from tvir.evaluation.bodies import FEATURES, LARGEST_SIDE, AverageLargeImages, image_body, look_through
from tvir.evaluation.extractor import FeatureExtractor, Report, content_hash
from tvir.evaluation.features.classifier import labelled_examples
from tvir.evaluation.fitting import fit_network
from tvir.evaluation.keeping import kept_tensors

_EXAMPLES = 20_000
_BATCH = 128
_SEEN = 40_000
"""Examples seen in training, counting repeats; each in two views."""

_MOST_EPOCHS = 25
_FEWEST = 16
"""Training images, below which there is nothing to tell apart."""

_LEARNING_RATE = 3e-3
_TEMPERATURE = 0.2
_RECIPE = (
    f"self-supervised-1 features={FEATURES} side={LARGEST_SIDE} examples={_EXAMPLES} batch={_BATCH} seen={_SEEN} "
    f"epochs={_MOST_EPOCHS} rate={_LEARNING_RATE} temperature={_TEMPERATURE}"
)


class SelfSupervised(FeatureExtractor):
    """A network trained to recognise an image of the training split through crops, shifts, light and noise.

    Only for images without classes, where ``Classifier`` has nothing to learn from. Always the same recipe; never
    shared with any discriminator. Trained weights are kept between runs.

    Reference:
        A Simple Framework for Contrastive Learning of Visual Representations, arXiv 2002.05709.

    Known failure:
        Blind to what it was taught to ignore: a mild change of light, contrast or noise.
    """

    level = 1

    def __init__(self, spec: ImageSpec, network: nn.Module) -> None:
        self._spec = spec
        self._network = network
        weights = network.state_dict()
        self._name = f"self-supervised@{content_hash(_RECIPE, *(weights[key] for key in sorted(weights)))}"

    @classmethod
    def prepare(
        cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()
    ) -> SelfSupervised | None:
        del weights
        spec = dataset.spec
        if not isinstance(spec, ImageSpec) or len(dataset.train) < _FEWEST or labelled_examples(dataset) is not None:
            return None
        body = _body(spec, seed)
        shapes = {name: tuple(tensor.shape) for name, tensor in body.state_dict().items()}
        key = f"self-supervised-{content_hash(_RECIPE, str(seed), str(spec))}-{content_hash(dataset.fingerprint)}"
        body.load_state_dict(kept_tensors(key, shapes, lambda: train(body, dataset.train, seed, report)))
        return cls(spec, body)

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        return look_through(self._network, self._spec, rows, width=FEATURES)


def _body(spec: ImageSpec, seed: int) -> nn.Sequential:
    """A network whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, "self-supervised"))
        return image_body(spec)


def train(body: nn.Sequential, examples: Examples, seed: int, report: Report) -> dict[str, Tensor]:
    """Fit the body by telling images apart; returns its weights."""
    drawing = np.random.default_rng(mix_seed(seed, "self-supervised order"))
    chosen = np.sort(drawing.permutation(len(examples))[:_EXAMPLES])
    rows = examples.take(chosen)
    batch = min(_BATCH, len(chosen))
    steps = max(1, min(_SEEN, _MOST_EPOCHS * len(chosen)) // batch)
    generator = torch.Generator().manual_seed(mix_seed(seed, "self-supervised views"))
    shrink = AverageLargeImages()

    def loss(now: Array) -> Tensor:
        images = shrink(examples.spec.to_model(rows[now]))
        return contrast(body(torch.cat([view(images, generator), view(images, generator)])))

    return fit_network(
        body, loss, count=len(chosen), batch=batch, steps=steps, learning_rate=_LEARNING_RATE, drawing=drawing,
        report=report, what="training the network to look through",
    )  # fmt: skip


def view(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images (N, C, H, W) cropped, shifted, lit and made noisy, each in its own way."""
    count = len(images)

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    size = drawn(0.6, 1.0, 1)
    shift = drawn(-0.25, 0.25, 2)
    frames = torch.zeros(count, 2, 3)
    frames[:, [0, 1], [0, 1]] = size
    frames[:, :, 2] = shift
    grid = F.affine_grid(frames, list(images.shape), align_corners=False)
    cropped = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    lit = cropped * drawn(0.7, 1.3, 1, 1, 1) + drawn(-0.2, 0.2, 1, 1, 1)
    return lit + 0.05 * torch.randn(lit.shape, generator=generator)


def contrast(features: Tensor) -> Tensor:
    """Normalised temperature-scaled cross-entropy over (2N, D), whose rows n and N + n show the same image."""
    directions = F.normalize(features, dim=1)
    likeness = directions @ directions.T / _TEMPERATURE
    likeness = likeness.masked_fill(torch.eye(len(features), dtype=torch.bool), -torch.inf)
    half = len(features) // 2
    partners = torch.cat([torch.arange(half, 2 * half), torch.arange(half)])
    return F.cross_entropy(likeness, partners)
