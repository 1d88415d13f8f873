"""Judging anybody's samples, without a model of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tvir.contracts.data import Array, Dataset, DataSpec, Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Scorecard
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import SpecRecord, write_atomically
from tvir.data.opening import find_source
from tvir.data.texts import TextFiles
from tvir.evaluation.given import GivenFeatures
from tvir.evaluation.scorecard import Judge, Judgement, to_json
from tvir.reports.content import PickedGrid, ScoreReport
from tvir.reports.html import write_report
from tvir.workflows.reporting import shown, shown_count
from tvir.workflows.requesting import DataRequest, Fit, Reading

_FEWEST_REAL = 4
"""Real examples: two halves of fewer than two points have no floor."""

_MOST_FITTED = 20_000
"""Real examples that are kept apart for extractors to learn from where there is no training set."""


def score(
    generated: str,
    against: str,
    *,
    train: str | None = None,
    features: bool = False,
    size: int | tuple[int, int] | str | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    length: int | None = None,
    windows: bool = False,
    column: str | None = None,
    limit: int = 10_000,
    weights: Sequence[Path] = (),
    seed: int = 0,
    out: Path | str | None = None,
    language: str = "en",
    show_training_examples: bool = True,
    progress: Reading | None = None,
) -> Scorecard:
    """Judge samples against real data; each is a folder of images, .npz, .npy, an IDX folder, Parquet, or text.

    Half of the real examples are the reference; the other half is an honest generator, whose scores are the floors.
    Where there is no training set, extractors learn from real examples that belong to neither. Text is read as bytes,
    so that all sources have one vocabulary.

    Args:
        generated: What is judged.
        against: Real examples that the generator has not seen.
        train: What the generator has learnt from; without it there is no axis of memorisation. The same data as
            ``against`` means its own splits: train against test.
        features: The arrays are feature vectors (N, D) already.
        size: Side of the images in pixels, (height, width) or "HxW"; by default that of each source.
        channels: 1, 3 or 4; by default what each source has.
        fit: How images of another aspect ratio are met.
        length: Bytes of a text that are read; by default those of the longest in any source, at most 256.
        windows: Take text as one running text and cut it into windows.
        column: The column of text in a table.
        limit: The most real and generated examples that are compared.
        weights: Files of pretrained weights to look through as well (DINOv2, CLIP, Inception).
        seed: Of what is drawn, of extractors and of metrics that draw.
        out: Folder for scorecard.json and report.html; None writes nothing.
        language: Of the report: ``en`` or ``uk``.
        show_training_examples: Show real examples in the report: some of them, and the nearest training ones.
        progress: Told what is being done, how much of it is done and how much there is.

    Raises:
        UsageError: Something cannot be read, is too small, or has another shape than the real data.
    """
    asked = DataRequest(
        reference=against, size=size, channels=channels, fit=fit, length=length, windows=windows, column=column
    )
    sources = _open(generated, against, train, asked, progress)
    if features:
        _require_features(sources.real)
    setting = _setting(sources, seed, fits=not features)
    dataset = setting.dataset
    extractors = [GivenFeatures.prepare(dataset, seed=seed, report=_silent)] if features else None
    judge = Judge(
        dataset, limit=limit, seed=seed, weights=weights, progress=progress, extractors=extractors,
        reference=f"{against} @{sources.real.fingerprint[:12]}", copies=train is not None,
    )  # fmt: skip
    shown = Whole.of(sources.generated).draw(min(limit, judge.sample_count), mix_seed(seed, "generated"))
    labels, findings = _labels(shown, dataset.spec)
    judgement = judge.judged(shown.rows, subject=generated, labels=labels)
    judged = replace(judgement.card, findings=(*setting.findings, *findings, *judgement.card.findings))
    if out is not None:
        place = Path(out)
        place.mkdir(parents=True, exist_ok=True)
        write_atomically(place / "scorecard.json", to_json(judged))
        report = ScoreReport(
            generated=generated, real=against, train=train, spec=SpecRecord.of(dataset.spec), card=judged,
            evidence=judgement.evidence(), grids=() if features else _grids(sources, judgement, seed),
            show_training_examples=show_training_examples,
        )  # fmt: skip
        write_report(place / "report.html", report, language)
    return judged


def _grids(sources: _Sources, judgement: Judgement, seed: int) -> list[PickedGrid]:
    """The first of what was drawn, of either side."""
    sides = [(sources.generated, judgement.generated, False), (sources.real, judgement.real, True)]
    return [
        PickedGrid(
            **shown(source.spec, points.rows[: shown_count(source.spec)]), source=source.reference, seed=seed,
            count=min(shown_count(source.spec), len(points)), total=len(Whole.of(source)), real=real,
        )
        for source, points, real in sides
        if points is not None
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Whole:
    """All examples of an opened source, whatever split they were dealt to."""

    parts: Sequence[Examples]

    @classmethod
    def of(cls, dataset: Dataset) -> Whole:
        """The distinct splits: one may stand in for another in small data."""
        parts = {id(split): split for split in (dataset.train, dataset.validation, dataset.test)}
        return cls(parts=tuple(parts.values()))

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def order(self, seed: int) -> Array:
        """All indices in a drawn order."""
        return np.random.default_rng(seed).permutation(len(self))

    def draw(self, count: int, seed: int) -> Examples:
        """``count`` examples at random, or all there are."""
        return self.take(self.order(seed)[:count])

    def take(self, indices: Array) -> Examples:
        """The examples at the given indices, counted through all splits, in that order."""
        spec = self.parts[0].spec
        rows = np.empty((len(indices), *spec.row_shape), spec.row_dtype)
        labels = np.full(len(indices), -1, np.int64)
        start = 0
        for part in self.parts:
            here = np.flatnonzero((indices >= start) & (indices < start + len(part)))
            rows[here] = part.take(indices[here] - start)
            if part.labels is not None:
                labels[here] = part.labels[indices[here] - start]
            start += len(part)
        return Examples(spec, rows, labels if any(part.labels is not None for part in self.parts) else None)


@dataclass(frozen=True, kw_only=True)
class _Sources:
    generated: Dataset
    real: Dataset
    train: Dataset | None


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """The data of the judge, and what is to be said of it."""

    dataset: Dataset
    findings: tuple[str, ...] = ()


def _open(generated: str, against: str, train: str | None, asked: DataRequest, progress: Reading | None) -> _Sources:
    def read(reference: str, length: int | None) -> Dataset:
        tokens = "bytes" if isinstance(find_source(reference), TextFiles) else None
        return replace(asked, reference=reference, tokens=tokens, length=length).open(progress)

    references = [against, generated, *([train] if train is not None else [])]
    opened = [read(reference, asked.length) for reference in references]
    lengths = [found.spec.length for found in opened if isinstance(found.spec, TextSpec)]
    if len(lengths) == len(opened) and len(set(lengths)) > 1:
        opened = [read(reference, max(lengths)) for reference in references]
    real, made, *rest = opened
    learnt = rest[0] if rest else None
    for other in (made, *([learnt] if learnt else [])):
        _require_alike(real, other)
    return _Sources(generated=made, real=real, train=learnt)


def _require_alike(real: Dataset, other: Dataset) -> None:
    ours, theirs = real.spec, other.spec
    if ours.row_shape == theirs.row_shape and isinstance(ours, TextSpec) == isinstance(theirs, TextSpec):
        return
    mending = "give both the same shape"
    if isinstance(ours, ImageSpec) and isinstance(theirs, ImageSpec):
        mending = f"bring both to one form with: --size {ours.height}x{ours.width} --channels {ours.channels}"
    raise UsageError(f"{other.reference} holds {_kind(theirs)} and {real.reference} holds {_kind(ours)}; {mending}")


def _kind(spec: DataSpec) -> str:
    if isinstance(spec, ImageSpec):
        return f"images of {spec.height}x{spec.width} pixels and {spec.channels} channels"
    if isinstance(spec, TextSpec):
        return f"texts of {spec.length} tokens"
    return f"vectors of {spec.row_shape[0]} numbers"


def _require_features(real: Dataset) -> None:
    if not isinstance(real.spec, VectorSpec):
        raise UsageError(f"{real.reference} holds {_kind(real.spec)}; --features expects arrays (N, D) of features")


def _setting(sources: _Sources, seed: int, *, fits: bool) -> _Setting:
    """Deal the real examples to reference, floor and, without a training set, to what extractors learn from."""
    real, train = sources.real, sources.train
    if train is not None and train.fingerprint == real.fingerprint:
        return _Setting(dataset=real, findings=(*real.findings, "real and training data are one: its own splits part"))
    whole = Whole.of(real)
    order = whole.order(mix_seed(seed, "real"))
    apart = min(len(order) // 2, _MOST_FITTED) if train is None and fits else 0
    least = 2 * _FEWEST_REAL if train is None and fits else _FEWEST_REAL
    if len(order) < least:
        raise UsageError(
            f"{real.reference} holds {len(order)} real examples; at least {least} are needed, to measure real data "
            "against itself"
        )
    learnt, rest = whole.take(order[:apart]), order[apart:]
    findings = [f"floors: between two disjoint parts of the real data, {len(rest) // 2:,} examples each"]
    if train is not None:
        learnt = _all_of(train)
    elif fits:
        findings.append(f"no training set: extractors learn from {apart:,} real examples kept apart from the reference")
    half = len(rest) // 2
    dataset = Dataset(
        reference=real.reference,
        fingerprint=_fingerprint(real, train, seed),
        train=learnt,
        validation=whole.take(rest[half : 2 * half]),
        test=whole.take(rest[:half]),
        modes=real.modes,
    )
    if train is not None and train.spec.classes and real.spec.classes not in ((), train.spec.classes):
        findings.append("the classes of real and training data differ: labels are not used")
        dataset = _unlabelled(dataset)
    return _Setting(dataset=dataset, findings=(*real.findings, *findings))


def _all_of(dataset: Dataset) -> Examples:
    whole = Whole.of(dataset)
    return whole.parts[0] if len(whole.parts) == 1 else whole.take(np.arange(len(whole)))


def _unlabelled(dataset: Dataset) -> Dataset:
    spec = dataset.spec
    bare = replace(spec, classes=()) if isinstance(spec, VectorSpec | TextSpec) else _bare_images(spec)
    train, validation, test = (
        Examples(bare, split.rows) for split in (dataset.train, dataset.validation, dataset.test)
    )
    return Dataset(
        reference=dataset.reference, fingerprint=dataset.fingerprint + "-unlabelled",
        train=train, validation=validation, test=test, modes=dataset.modes,
    )  # fmt: skip


def _bare_images(spec: DataSpec) -> ImageSpec:
    height, width, channels = spec.row_shape
    return ImageSpec(channels=channels, height=height, width=width)


def _labels(generated: Examples, spec: DataSpec) -> tuple[Array | None, tuple[str, ...]]:
    """The classes of the generated examples, where they mean the same as those of the real ones."""
    if generated.labels is None or not spec.classes:
        return None, ()
    if generated.spec.classes != spec.classes:
        return None, ("the classes of generated and real data differ: those of the generated data are not used",)
    labels = np.asarray(generated.labels, dtype=np.int64)
    if (labels < 0).any():
        return None, ("some generated examples have no label: none are used",)
    return labels, ()


def _fingerprint(real: Dataset, train: Dataset | None, seed: int) -> str:
    parts = f"score-1 {real.fingerprint} {train.fingerprint if train else '-'} {seed}"
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def _silent(description: str, done: int, total: int) -> None:
    del description, done, total
