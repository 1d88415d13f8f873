"""Figures of what lies behind the scores, each with what one sees in it and what would be bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image

from tvir.contracts.data import Array, ImageSpec
from tvir.contracts.evidence import DistanceHistogram, Evidence, NearestTraining
from tvir.contracts.metric import Axis, Scorecard
from tvir.contracts.run import SpecRecord
from tvir.reports import distributions
from tvir.reports.language import Words
from tvir.reports.numbers import RowFormat
from tvir.reports.panels import precision_recall_panels
from tvir.reports.sentences import percent
from tvir.training.previews import picture

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class PairPicture:
    """A generated example beside its nearest training example.

    Args:
        image: The two side by side.
        distance: Of the two, in words.
        copy: Whether the generated one counts as a copy.
    """

    image: Image.Image
    distance: str
    copy: bool


@dataclass(frozen=True, kw_only=True)
class ModelPairs:
    """The closest pairs of one model, and how they were chosen."""

    model: str
    caption: str
    pairs: Sequence[PairPicture]


@dataclass(frozen=True, kw_only=True)
class Illustration:
    """Figures that show the same thing, and the words below them.

    Args:
        heading: Above them.
        text: What one sees, and what would be bad.
        figures: As SVG.
        pairs: Pictures, by model.
    """

    heading: str
    text: str
    figures: Sequence[str] = ()
    pairs: Sequence[ModelPairs] = ()


def illustrations(
    evidence: Mapping[str, Evidence],
    cards: Sequence[Scorecard],
    models: Sequence[str],
    spec: SpecRecord,
    words: Words,
    *,
    show_training: bool,
) -> dict[Axis, list[Illustration]]:
    """Figures by the axis they belong to.

    Args:
        evidence: By model; what is missing in all of them has no figure.
        cards: Scorecards, for precision against recall.
        models: All models of the page, for their colours.
        spec: What one example is.
        words: Of the labels.
        show_training: Whether training examples may be seen.
    """
    by_axis = {
        Axis.FIDELITY: [_precision_recall(cards, models, words)],
        Axis.DIVERSITY: [_classes(evidence, models, words)],
        Axis.STRUCTURE: [_spectra(evidence, models, words), _distances(evidence, models, words)],
        Axis.MEMORISATION: [
            _nearest(evidence, models, words),
            _pairs(evidence, spec, words, show_training=show_training),
        ],
    }
    found = {axis: [one for one in all_of_it if one is not None] for axis, all_of_it in by_axis.items()}
    return {axis: some for axis, some in found.items() if some}


def _having(evidence: Mapping[str, Evidence], part: Callable[[Evidence], Found | None]) -> dict[str, Found]:
    return {model: there for model, found in evidence.items() if (there := part(found)) is not None}


def _precision_recall(cards: Sequence[Scorecard], models: Sequence[str], words: Words) -> Illustration | None:
    figures = precision_recall_panels(cards, models, words)
    if not figures:
        return None
    return Illustration(heading=words("scatter.heading"), text=words("scatter.text"), figures=figures)


def _classes(evidence: Mapping[str, Evidence], models: Sequence[str], words: Words) -> Illustration | None:
    found = _having(evidence, lambda one: one.classes)
    if not found:
        return None
    values = []
    for model, histogram in found.items():
        made, real = np.array(histogram.generated), np.array(histogram.real)
        rarest = int(np.argmin(np.where(real > 0, made / np.maximum(real, 1e-12), np.inf)))
        values.append(
            words(
                "classes.alt.value", model=model, rarest=histogram.classes[rarest], made=percent(made[rarest], words),
                real=percent(real[rarest], words),
            )
        )  # fmt: skip
    alt = words("classes.alt", values="; ".join(values))
    figure = distributions.classes(words("classes.title"), found, models, words, alt)
    return Illustration(heading=words("classes.heading"), text=words("classes.text"), figures=[figure])


def _spectra(evidence: Mapping[str, Evidence], models: Sequence[str], words: Words) -> Illustration | None:
    found = _having(evidence, lambda one: one.spectrum)
    if not found:
        return None
    first = next(iter(found.values()))
    fine = [frequency > 0.5 for frequency in first.frequencies]
    said = {words("evidence.real"): first.real} | {model: one.generated for model, one in found.items()}
    values = [f"{name} {percent(float(np.array(shares)[fine].sum()), words)}" for name, shares in said.items()]
    alt = words("spectrum.alt", values="; ".join(values))
    figure = distributions.spectra(words("spectrum.title"), found, models, words, alt)
    return Illustration(heading=words("spectrum.heading"), text=words("spectrum.text"), figures=[figure])


def _distances(evidence: Mapping[str, Evidence], models: Sequence[str], words: Words) -> Illustration | None:
    by_space: dict[str, dict[str, DistanceHistogram]] = {}
    for model, one in evidence.items():
        for histogram in one.distances:
            by_space.setdefault(histogram.space, {})[model] = histogram
    if not by_space:
        return None
    figures = [
        distributions.distances(
            words("distance.title", space=words.space(space)), found, models, words,
            words("distance.alt", space=space, values=_means(found, words)),
        )
        for space, found in by_space.items()
    ]  # fmt: skip
    return Illustration(heading=words("distance.heading"), text=words("distance.text"), figures=figures)


def _nearest(evidence: Mapping[str, Evidence], models: Sequence[str], words: Words) -> Illustration | None:
    found = _having(evidence, lambda one: one.nearest)
    if not found:
        return None
    histograms = {model: nearest.distances for model, nearest in found.items()}
    alt = words("nearest.alt", values=_means(histograms, words))
    threshold = next(iter(found.values())).threshold
    figure = distributions.distances(
        words("nearest.title"), histograms, models, words, alt, threshold=threshold
    )  # fmt: skip
    return Illustration(heading=words("nearest.heading"), text=words("nearest.text"), figures=[figure])


def _means(found: Mapping[str, DistanceHistogram], words: Words) -> str:
    """Mean distances of real data and of every model, read off the bins."""

    def mean(histogram: DistanceHistogram, shares: Sequence[float]) -> str:
        middles = (np.arange(len(shares)) + 0.5) * histogram.width
        return words.number(f"{float(middles @ np.array(shares)):.3g}")

    first = next(iter(found.values()))
    real = f"{words('evidence.real')} {mean(first, first.real)}"
    return "; ".join([real, *(f"{model} {mean(one, one.generated)}" for model, one in found.items())])


def _pairs(
    evidence: Mapping[str, Evidence], spec: SpecRecord, words: Words, *, show_training: bool
) -> Illustration | None:
    found = _having(evidence, lambda one: one.nearest)
    if not found or spec.kind != "image":
        return None
    if not show_training:
        return Illustration(heading=words("pairs.heading"), text=words("pairs.hidden"))
    rows = [_model_pairs(model, nearest, words) for model, nearest in found.items()]
    return Illustration(heading=words("pairs.heading"), text=words("pairs.text"), pairs=rows)


def _model_pairs(model: str, nearest: NearestTraining, words: Words) -> ModelPairs:
    digits = RowFormat(decimals=max(0, 2 - int(np.floor(np.log10(nearest.distances.width * 40)))))
    shown = [
        PairPicture(
            image=_side_by_side(pair.generated, pair.training),
            distance=digits.number(pair.distance, words),
            copy=pair.distance < nearest.threshold or pair.distance == 0,
        )
        for pair in nearest.pairs
    ]
    caption = words(
        "pairs.caption", model=model, count=len(shown), total=words.number(f"{nearest.count:,}"),
        threshold=digits.number(nearest.threshold, words),
    )  # fmt: skip
    return ModelPairs(model=model, caption=caption, pairs=shown)


def _side_by_side(generated: Array, training: Array) -> Image.Image:
    height, width, channels = generated.shape
    spec = ImageSpec(channels=channels, height=height, width=width)
    return picture(spec, np.stack([generated, training]), columns=2)
