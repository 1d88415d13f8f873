"""Points and datasets made for tests of judging."""

import numpy as np
import torch

from tvir.contracts.data import Dataset, Examples, ImageSpec, Modes, VectorSpec
from tvir.contracts.metric import Context, Points


def normal(count, dimensions, *, seed=0, shift=0.0, scale=1.0):
    drawn = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn * scale + shift


def points(rows, **others):
    rows = np.asarray(rows, dtype=np.float32)
    return Points(rows=rows, features={"vectors@test": rows}, **others)


def context(train=None, held_out=None, *, modes=None, classes=(), dimensions=2):
    nothing = points(np.zeros((0, dimensions)))
    spec = VectorSpec(features=dimensions, classes=classes)
    return Context(spec=spec, train=train or nothing, held_out=held_out or nothing, modes=modes)


def measured(metric, real, generated, **knowledge):
    """What a metric yields, by name, in its one space."""
    known = context(**knowledge)
    return {name: value for name, _, value in metric.measure(real, generated, known)}


def ring(count, *, seed=0, modes=8, sigma=0.01, kept=None):
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = np.stack([np.cos(angles), np.sin(angles)], 1)
    drawing = np.random.default_rng(seed)
    chosen = drawing.integers(kept or modes, size=count)
    rows = (centres[chosen] + sigma * drawing.normal(size=(count, 2))).astype(np.float32)
    return rows, chosen, Modes(centres=centres, sigma=sigma)


def ring_dataset(count=300):
    spec = VectorSpec(features=2)
    splits = [Examples(spec, ring(count, seed=seed)[0]) for seed in range(3)]
    return Dataset(
        reference="ring8", fingerprint="ring", train=splits[0], validation=splits[1], test=splits[2], modes=ring(1)[2]
    )


CLASSES = ("low", "middle", "high")


def blobs(count, *, seed, side=10):
    """Gray images with one noisy bright band whose height is the class."""
    drawing = np.random.default_rng(seed)
    labels = drawing.integers(3, size=count)
    images = drawing.normal(60, 25, size=(count, side, side, 1))
    for image, label in zip(images, labels, strict=True):
        image[3 * label + 1 : 3 * label + 3] += drawing.uniform(60, 140)
    return np.clip(images, 0, 255).astype(np.uint8), labels.astype(np.int64)


def image_dataset(*, train=600, other=200, labelled=True):
    spec = ImageSpec(channels=1, height=10, width=10, classes=CLASSES if labelled else ())
    splits = []
    for seed, count in enumerate((train, other, other)):
        rows, labels = blobs(count, seed=seed)
        splits.append(Examples(spec, rows, labels if labelled else None))
    return Dataset(
        reference="bands",
        fingerprint=f"bands-{train}-{other}-{labelled}",
        train=splits[0],
        validation=splits[1],
        test=splits[2],
    )
