"""How probable a model finds unseen data, and how much more probable its training data."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from torch import Tensor

from tvir.contracts.data import Array, ImageSpec, TextSpec, written
from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import GenerativeModel, HasLikelihood, HasLikelihoodBound, Measure, evaluating
from tvir.contracts.noise import Noise, mix_seed
from tvir.evaluation.subsampling import drawn_indices

SAMPLES = 64
"""The K of the importance-weighted bound."""

_MOST, _FEWEST = 2000, 128
_NUMBERS = 2**22
"""Numbers decoded for the bound, about: it decides how many examples are looked at."""

_ENOUGH = 500
"""Examples below which the spread between them is worth a word."""

_CHUNK = 64


class Likelihood(ModelMetric):
    """Bits per dimension of the reference, and how many more they are than those of the training split.

    -log p(x) / (D log 2) for exact likelihoods; for bounds the importance-weighted bound with K = 64. The space names
    which, so that exact values and bounds never share a column. Of text, whose tokens differ from run to run, it is
    bits per character: the bits of whole texts, their ends included, divided by all characters (tokens, where these
    are no text). A density of numbers in [-1, 1] says nothing of 8-bit
    images by itself: uniform noise one gray level wide is added and log(2 / 255) per number is subtracted from the
    bits' density, which bounds the code length of the 8-bit image (the space then says "dequantised"). 128 to 2,000
    drawn examples, the fewer the larger they are.

    Reference:
        A note on the evaluation of generative models, arXiv 1511.01844; Importance Weighted Autoencoders, arXiv
        1509.00519.

    Sample size:
        Standard error is the spread of an example's bits divided by sqrt(n).

    Known failure:
        Says nothing about how samples look. A bound is the looser the worse the encoder. Black-and-white likelihoods of
        gray images are no code length of the gray values: bits_per_dim is left out and the gap stands in a space of its
        own.
    """

    quantities = (
        Quantity("bits_per_dim", Axis.LIKELIHOOD, Direction.LOWER),
        Quantity("bits_per_character", Axis.LIKELIHOOD, Direction.LOWER),
        Quantity("likelihood_gap", Axis.MEMORISATION, Direction.LOWER),
    )

    def applies(self, model: GenerativeModel, context: Context) -> bool:
        return isinstance(model, HasLikelihood | HasLikelihoodBound)

    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        assert isinstance(model, HasLikelihood | HasLikelihoodBound)
        space = likelihood_space(model)
        unseen = bits_per_dimension(model, _some(model, real, context.seed), seed=context.seed)
        if model.measure is not Measure.BINARISED:
            yield _quantity(model), space, unseen
        if len(context.train):
            known = bits_per_dimension(model, _some(model, context.train, context.seed), seed=context.seed)
            yield "likelihood_gap", space, unseen - known

    def doubts(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[str]:
        assert isinstance(model, HasLikelihood | HasLikelihoodBound)
        if (count := min(len(real), _examples(model))) < _ENOUGH:
            yield f"{_quantity(model)}, likelihood_gap: means over only {count} examples of a split"
        if model.measure is Measure.BINARISED:
            yield (
                "bits_per_dim: left out, the model's likelihood is that of black-and-white images and not of gray "
                "values; likelihood=discretised-logistic has one"
            )


def likelihood_space(model: HasLikelihood | HasLikelihoodBound) -> str:
    """What kind of number it is: exact or bound, and of what."""
    kind = "exact" if isinstance(model, HasLikelihood) else f"iwae-{SAMPLES} bound"
    if model.measure is Measure.BINARISED:
        return f"{kind} binarised"
    return f"{kind} dequantised" if _is_dequantised(model) else kind


def bits_per_dimension(model: HasLikelihood | HasLikelihoodBound, rows: Array, *, seed: int = 0) -> float:
    """Mean bits per number of boundary rows (N, *row_shape); per character of text."""
    total = 0.0
    with evaluating(model):
        for start in range(0, len(rows), _CHUNK):
            part = model.spec.to_model(np.array(rows[start : start + _CHUNK])).to(model.device)
            noise = Noise(mix_seed(seed, "likelihood"), count=len(part), first=start, device=model.device)
            total += float(_log_likelihood(model, part, noise).double().sum())
    return -total / (_numbers(model, rows) * math.log(2))


def _numbers(model: GenerativeModel, rows: Array) -> int:
    """Numbers that rows hold; of text the characters."""
    spec = model.spec
    if isinstance(spec, TextSpec):
        return sum(map(len, spec.texts(rows))) if spec.pieces else int(written(spec.to_model(rows)).sum())
    return len(rows) * math.prod(spec.shape)


def _quantity(model: GenerativeModel) -> str:
    return "bits_per_character" if isinstance(model.spec, TextSpec) else "bits_per_dim"


def _log_likelihood(model: HasLikelihood | HasLikelihoodBound, examples: Tensor, noise: Noise) -> Tensor:
    """Nats per example, (N,), of the 8-bit image where the model has a density of its numbers."""
    change = 0.0
    if _is_dequantised(model):
        width = 2 / 255  # of a gray level
        examples = examples + width * (noise.uniform(*examples.shape[1:]) - 0.5)
        change = examples[0].numel() * math.log(width)
    if isinstance(model, HasLikelihood):
        return model.log_prob(examples) + change
    return model.elbo(examples, noise, SAMPLES) + change


def _is_dequantised(model: HasLikelihood | HasLikelihoodBound) -> bool:
    return isinstance(model.spec, ImageSpec) and model.measure is Measure.DENSITY


def _some(model: GenerativeModel, points: Points, seed: int) -> Array:
    return points.rows[drawn_indices(len(points), _examples(model), seed)]


def _examples(model: GenerativeModel) -> int:
    cost = math.prod(model.spec.shape) * (1 if isinstance(model, HasLikelihood) else SAMPLES)
    return min(_MOST, max(_FEWEST, _NUMBERS // cost))
