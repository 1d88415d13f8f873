"""E1: a small classifier of this very data."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import Array, Dataset, DataSpec, Examples, ImageSpec, TextSpec
from tvir.contracts.model import evaluating
from tvir.contracts.noise import mix_seed
from tvir.evaluation.extractor import ClassifiesFeatures, Report, content_hash
from tvir.evaluation.keeping import kept_tensors

_FEATURES = 64
_LARGEST_SIDE = 32
"""Larger images are averaged down to this: the classifier is a ruler, not a contestant."""

_TRAINED_EXAMPLES = 20_000
_BATCH = 128
_SEEN = 80_000
"""Examples seen in training, counting repeats."""

_MOST_EPOCHS = 25
_LEARNING_RATE = 4e-3
_CHUNK = 512
_RECIPE = (
    f"classifier-1 features={_FEATURES} side={_LARGEST_SIDE} examples={_TRAINED_EXAMPLES} batch={_BATCH} "
    f"seen={_SEEN} epochs={_MOST_EPOCHS} rate={_LEARNING_RATE}"
)


class Classifier(ClassifiesFeatures):
    """The penultimate layer of a small network trained to name the classes of the training split.

    Convolutional for images, a perceptron for vectors. Always the same recipe and seed; never shared with any
    discriminator. Trained weights are kept between runs.

    Known failure:
        Sees what tells classes apart and little else: noise, blur and contrast hardly move it.
    """

    level = 1

    def __init__(self, spec: DataSpec, network: nn.Module, head: nn.Linear) -> None:
        self._spec = spec
        self._network = network
        self._head = head
        weights = {**network.state_dict(prefix="network."), **head.state_dict(prefix="head.")}
        self._name = f"classifier@{content_hash(_RECIPE, *(weights[key] for key in sorted(weights)))}"

    @classmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report) -> Classifier | None:
        spec = dataset.spec
        if len(spec.classes) < 2 or dataset.train.labels is None or isinstance(spec, TextSpec):
            return None
        labelled = np.flatnonzero(np.asarray(dataset.train.labels) >= 0)
        if len(np.unique(np.asarray(dataset.train.labels)[labelled])) < 2:
            return None
        whole = _network(spec, seed)
        shapes = {name: tuple(tensor.shape) for name, tensor in whole.state_dict().items()}
        key = f"classifier-{content_hash(_RECIPE, str(seed), str(spec))}-{content_hash(dataset.fingerprint)}"
        kept = kept_tensors(key, shapes, lambda: train(whole, dataset.train, labelled, seed, report))
        whole.load_state_dict(kept)
        body, head = whole[0], whole[1]
        assert isinstance(head, nn.Linear)
        return cls(spec, body, head)

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        parts = []
        with evaluating(self._network):
            for start in range(0, len(rows), _CHUNK):
                parts.append(self._network(self._spec.to_model(np.array(rows[start : start + _CHUNK]))))
        return torch.cat(parts).numpy() if parts else np.zeros((0, _FEATURES), dtype=np.float32)

    def classify(self, features: Array) -> Array:
        with torch.no_grad():
            return self._head(torch.from_numpy(features)).argmax(1).numpy()


class _ShrinkLargeImages(nn.Module):
    """Area averaging down to at most 32 pixels a side."""

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        ratio = _LARGEST_SIDE / max(height, width)
        if ratio >= 1:
            return images
        size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
        return F.interpolate(images, size=size, mode="area")


def _network(spec: DataSpec, seed: int) -> nn.Sequential:
    """Body and head, with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, "classifier"))
        body = _image_body(spec) if isinstance(spec, ImageSpec) else _vector_body(int(np.prod(spec.shape)))
        return nn.Sequential(body, nn.Linear(_FEATURES, len(spec.classes)))


def _block(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _image_body(spec: ImageSpec) -> nn.Sequential:
    # Small images keep their resolution for longer.
    first = 1 if max(spec.height, spec.width) <= 16 else 2
    return nn.Sequential(
        _ShrinkLargeImages(),
        *_block(spec.channels, 24, 5, first),
        *_block(24, 48, 3, 2),
        *_block(48, 64, 3, 1),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 64, _FEATURES),
        nn.ReLU(inplace=True),
    )


def _vector_body(features: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(features, affine=False),
        nn.Linear(features, 128),
        nn.ReLU(inplace=True),
        nn.Linear(128, _FEATURES),
        nn.ReLU(inplace=True),
    )


def train(whole: nn.Sequential, examples: Examples, labelled: Array, seed: int, report: Report) -> dict[str, Tensor]:
    """Fit body and head by cross-entropy; returns the weights."""
    assert examples.labels is not None
    drawing = np.random.default_rng(mix_seed(seed, "classifier order"))
    chosen = np.sort(drawing.permutation(labelled)[:_TRAINED_EXAMPLES])
    rows, labels = examples.take(chosen), np.asarray(examples.labels)[chosen].astype(np.int64)
    batch = min(_BATCH, len(chosen))
    steps = max(1, min(_SEEN, _MOST_EPOCHS * len(chosen)) // batch)
    optimiser = torch.optim.AdamW(whole.parameters(), lr=_LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=_LEARNING_RATE, total_steps=steps, pct_start=0.2)
    order = np.zeros(0, dtype=np.int64)
    whole.train()
    for step in range(steps):
        if len(order) < batch:
            order = np.concatenate([order, drawing.permutation(len(chosen))])
        now, order = order[:batch], order[batch:]
        data = examples.spec.to_model(rows[now])
        loss = F.cross_entropy(whole(data), torch.from_numpy(labels[now]), label_smoothing=0.05)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 10 == 0 or step == steps - 1:
            report("training the classifier to look through", step + 1, steps)
    return {name: tensor.detach() for name, tensor in whole.state_dict().items()}
