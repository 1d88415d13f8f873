"""E1: a small classifier of this very data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import Array, Dataset, DataSpec, Examples, ImageSpec, TextSpec
from tvir.contracts.noise import mix_seed
from tvir.evaluation.bodies import FEATURES, LARGEST_SIDE, image_body, look_through, vector_body
from tvir.evaluation.extractor import ClassifiesFeatures, Report, content_hash
from tvir.evaluation.fitting import fit_network
from tvir.evaluation.keeping import kept_tensors
from tvir.evaluation.subsampling import drawn_indices

_TRAINED_EXAMPLES = 20_000
_BATCH = 128
_SEEN = 80_000
"""Examples seen in training, counting repeats."""

_MOST_EPOCHS = 25
_LEARNING_RATE = 4e-3
_RECIPE = (
    f"classifier-1 features={FEATURES} side={LARGEST_SIDE} examples={_TRAINED_EXAMPLES} batch={_BATCH} "
    f"seen={_SEEN} epochs={_MOST_EPOCHS} rate={_LEARNING_RATE}"
)


class Classifier(ClassifiesFeatures):
    """The penultimate layer of a small network trained to name the classes of the training split.

    Convolutional for images, a perceptron for vectors. Always the same recipe and seed; never shared with any
    discriminator. Trained weights are kept between runs.

    Where every channel of an image has a class of its own, one network of a single channel learns from all channels
    and looks at each by itself; features lie side by side, and the class is made of the channels' classes.

    Known failure:
        Sees what tells classes apart and little else: noise hardly moves it.
    """

    level = 1

    def __init__(self, spec: DataSpec, network: nn.Module, head: nn.Linear) -> None:
        self._spec = spec
        self._network = network
        self._head = head
        self._parts = len(spec.class_shape)
        weights = {**network.state_dict(prefix="network."), **head.state_dict(prefix="head.")}
        recipe = _RECIPE if self._parts == 1 else f"{_RECIPE} parts={self._parts}"
        self._name = f"classifier@{content_hash(recipe, *(weights[key] for key in sorted(weights)))}"

    @classmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()) -> Classifier | None:
        del weights
        spec, examples, labelled = dataset.spec, dataset.train, labelled_examples(dataset)
        if labelled is None:
            return None
        if len(spec.class_shape) > 1:
            some = labelled[drawn_indices(len(labelled), _TRAINED_EXAMPLES, seed)]
            examples = by_channel(Examples(spec, examples.take(some), np.asarray(examples.labels)[some]))
            labelled = np.arange(len(examples))
        whole = _network(examples.spec, seed)
        shapes = {name: tuple(tensor.shape) for name, tensor in whole.state_dict().items()}
        key = f"classifier-{content_hash(_RECIPE, str(seed), str(examples.spec))}-{content_hash(dataset.fingerprint)}"
        kept = kept_tensors(key, shapes, lambda: train(whole, examples, labelled, seed, report))
        whole.load_state_dict(kept)
        body, head = whole[0], whole[1]
        assert isinstance(head, nn.Linear)
        return cls(spec, body, head)

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        parts = by_channel(Examples(self._spec, rows)) if self._parts > 1 else Examples(self._spec, rows)
        found = look_through(self._network, parts.spec, parts.rows, width=FEATURES)
        return found.reshape(len(rows), self._parts * FEATURES)

    def classify(self, features: Array) -> Array:
        with torch.no_grad():
            parts = self._head(torch.from_numpy(features).reshape(-1, FEATURES)).argmax(1).reshape(-1, self._parts)
        return np.asarray(np.ravel_multi_index(tuple(parts.numpy().T), self._spec.class_shape))


def by_channel(examples: Examples) -> Examples:
    """Every channel of images (N, H, W, C) as an example of its own, (N * C, H, W, 1), with its own class."""
    assert isinstance(examples.spec, ImageSpec)
    spec, labels = examples.spec.channel, examples.labels
    rows = np.moveaxis(examples.rows, 3, 1).reshape(-1, *spec.row_shape)
    apart = None if labels is None else np.stack(np.unravel_index(labels, examples.spec.class_shape), 1).ravel()
    return Examples(spec, rows, apart)


def labelled_examples(dataset: Dataset) -> Array | None:
    """Indices of the training examples that a classifier can learn from; None without two classes."""
    labels = dataset.train.labels
    if len(dataset.spec.classes) < 2 or labels is None or isinstance(dataset.spec, TextSpec):
        return None
    labelled = np.flatnonzero(np.asarray(labels) >= 0)
    return labelled if len(np.unique(np.asarray(labels)[labelled])) >= 2 else None


def _network(spec: DataSpec, seed: int) -> nn.Sequential:
    """Body and head, with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, "classifier"))
        body = image_body(spec) if isinstance(spec, ImageSpec) else vector_body(int(np.prod(spec.shape)))
        return nn.Sequential(body, nn.Linear(FEATURES, len(spec.classes)))


def train(whole: nn.Sequential, examples: Examples, labelled: Array, seed: int, report: Report) -> dict[str, Tensor]:
    """Fit body and head by cross-entropy; returns the weights."""
    assert examples.labels is not None
    drawing = np.random.default_rng(mix_seed(seed, "classifier order"))
    chosen = np.sort(drawing.permutation(labelled)[:_TRAINED_EXAMPLES])
    rows, labels = examples.take(chosen), np.asarray(examples.labels)[chosen].astype(np.int64)
    batch = min(_BATCH, len(chosen))
    steps = max(1, min(_SEEN, _MOST_EPOCHS * len(chosen)) // batch)

    def loss(now: Array) -> Tensor:
        data = examples.spec.to_model(rows[now])
        return F.cross_entropy(whole(data), torch.from_numpy(labels[now]), label_smoothing=0.05)

    return fit_network(
        whole, loss, count=len(chosen), batch=batch, steps=steps, learning_rate=_LEARNING_RATE, drawing=drawing,
        report=report, what="training the classifier to look through",
    )  # fmt: skip
