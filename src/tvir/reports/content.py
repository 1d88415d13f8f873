"""What a report is made of. Whoever writes one fills these in; nothing here reads a disk or knows a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from tvir.contracts.attempt import Attempt
from tvir.contracts.evidence import Evidence
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import DataRecord, RunRecord, SpecRecord
from tvir.contracts.size import Size
from tvir.contracts.verdict import AxisRanks, Verdict


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """One run as a report sees it.

    Args:
        record: Its run.json.
        path: Where it lies, as the reader should see it (relative to the report, where possible).
        parameters: Trainable parameters of the model, or None where it could not be built.
        metrics: The lines of its metrics.jsonl.
        subject: Who it counts for in a comparison (``unbalanced-gan:pretraining=none``), or None for its model's name.
    """

    record: RunRecord
    path: str
    parameters: int | None = None
    metrics: Sequence[Mapping[str, Any]] = ()
    subject: str | None = None

    @property
    def name(self) -> str:
        """Who it counts for."""
        return self.subject or self.record.model


@dataclass(frozen=True, kw_only=True)
class SampleGrid:
    """Generated examples, never picked by hand, and what they were made from.

    Args:
        image: The grid; None where the examples are texts.
        texts: The examples, where they are texts.
        model: Name of the model, as in the scorecards.
        training_seed: Seed of the run.
        steps: Steps the weights had been trained for.
        sample_seed: Seed the samples were drawn with; equal for all models side by side.
        count: Number of samples in the grid.
    """

    image: Image.Image | None = None
    texts: Sequence[str] = ()
    model: str
    training_seed: int
    steps: int
    sample_seed: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of a film strip.

    Args:
        image: Samples from latents that are the same in every frame; None where they are texts.
        texts: The first of them, where they are texts.
        step: Step of training it was made at.
    """

    image: Image.Image | None = None
    texts: Sequence[str] = ()
    step: int


@dataclass(frozen=True, kw_only=True)
class FilmStrip:
    """How the samples of one run grew."""

    model: str
    training_seed: int
    frames: Sequence[Frame]


@dataclass(frozen=True, kw_only=True)
class ComparisonReport:
    """Several models on the same data, budget and seeds.

    Args:
        title: Heading, or None for one made of the models and the data.
        data: The data, its fingerprint and how it was read.
        budget: As ``Budget.parse`` reads it; the same for every run.
        seeds: Training seeds, the same for every model.
        runs: Every run, failed ones too.
        controls: Models that nobody asked for, whose cards come last: what no network may lose to.
        cards: One scorecard per model, summarised over seeds; its subject is the model's name. Models of which
            every run failed have none.
        verdicts: What the numbers support.
        ranks: Where every model stands on every axis.
        dominating: The model that is behind none and ahead of every other, or None.
        match: In what the networks were to be alike: ``none``, ``parameters`` or ``flops``.
        sizes: How large every model's are.
        attempts: Settings that were tried before on the validation split; empty where none were.
        selected_by: Name of the score that settings were selected by.
        expected_bests: By model, the expected best score of 1, 2, ... settings.
        grids: Sample grids, one per model (or more), drawn from equal sample seeds.
        strips: Film strips, one per model (or more).
        findings: What was noticed about the data and on the way.
        evidence: What lies behind the scores, by model: of one run each, on the first seed.
        show_training_examples: Whether nearest training examples may be shown.
    """

    title: str | None = None
    data: DataRecord
    budget: str
    seeds: Sequence[int]
    runs: Sequence[RunEntry]
    controls: Sequence[str] = ()
    cards: Sequence[Scorecard] = ()
    verdicts: Sequence[Verdict] = ()
    ranks: Sequence[AxisRanks] = ()
    dominating: str | None = None
    match: str = "none"
    sizes: Sequence[Size] = ()
    attempts: Sequence[Attempt] = ()
    selected_by: str = ""
    expected_bests: Mapping[str, Sequence[float]] = field(default_factory=dict)
    grids: Sequence[SampleGrid] = ()
    strips: Sequence[FilmStrip] = ()
    findings: Sequence[str] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    show_training_examples: bool = True


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """One run.

    Args:
        run: The run.
        card: Its scorecard, or None where it has not been judged.
        grids: Sample grids from its last weights.
        strip: Its film strip, or None.
        evidence: What lies behind the scores, or None.
        show_training_examples: Whether nearest training examples may be shown.
    """

    run: RunEntry
    card: Scorecard | None = None
    grids: Sequence[SampleGrid] = ()
    strip: FilmStrip | None = None
    evidence: Evidence | None = None
    show_training_examples: bool = True


@dataclass(frozen=True, kw_only=True)
class PickedGrid:
    """Examples of a set drawn at random, never picked by hand.

    Args:
        image: The grid; None where the examples are texts.
        texts: The examples, where they are texts.
        source: Where the examples come from, as the reader should see it.
        seed: Of the draw.
        count: Examples in the grid.
        total: Examples they were drawn from.
        real: Whether they are real: hidden where training examples are.
    """

    image: Image.Image | None = None
    texts: Sequence[str] = ()
    source: str
    seed: int
    count: int
    total: int
    real: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoreReport:
    """Anybody's samples against real data.

    Args:
        title: Heading, or None for one made of what is judged and what against.
        generated: What is judged, as it was given.
        real: What it is judged against, as it was given.
        train: The training data that copies were looked for in, as it was given, or None.
        spec: What one example is.
        card: The scorecard.
        evidence: What lies behind the scores, or None.
        grids: Examples drawn at random.
        findings: What was noticed while the data was read.
        show_training_examples: Whether real examples may be shown: nearest pairs and grids of real data.
    """

    title: str | None = None
    generated: str
    real: str
    train: str | None = None
    spec: SpecRecord
    card: Scorecard
    evidence: Evidence | None = None
    grids: Sequence[PickedGrid] = ()
    findings: Sequence[str] = ()
    show_training_examples: bool = True
