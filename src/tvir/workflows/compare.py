"""Comparing models: the same data, budget, arithmetic and threads for every trial, and one judge for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tvir.comparison.protocol import Trial, plan_search, plan_trials
from tvir.comparison.ranking import dominating, rank
from tvir.comparison.statistics import summarise, verdicts
from tvir.contracts.attempt import Attempt
from tvir.contracts.budget import Budget
from tvir.contracts.data import Dataset
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import Precision, RunFolder, RunRecord
from tvir.contracts.verdict import Verdict
from tvir.reports.content import ComparisonReport
from tvir.reports.html import write_report
from tvir.workflows.contest import controls_for, plan_all, ranges_for, read_contestants
from tvir.workflows.jury import Jury
from tvir.workflows.ledger import FloorSpread, Ledger, TrialResult, write_ledger, write_table
from tvir.workflows.planning import PrecisionChoice
from tvir.workflows.reporting import film_strip, run_entry, sample_grid
from tvir.workflows.requesting import DataRequest, Fit, Reading, Tokens, record_data, short_name
from tvir.workflows.run import Run
from tvir.workflows.running import fit_here, train_all
from tvir.workflows.selection import SELECTS, expected_bests, select
from tvir.workflows.sizing import Match, Settings, match_sizes, measure_sizes
from tvir.workflows.trials import Cores, TrialsObserver


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison came to.

    Args:
        path: Its folder: one run per trial, comparison.json, comparison.csv and report.html.
        cards: One scorecard per model, controls last: means over its seeds, with intervals.
        verdicts: What the numbers support.
        runs: Every run, failed ones too.
        controls: The subjects that nobody asked for: what no network may lose to.
        failed: One line for each trial that did not finish.
    """

    path: Path
    cards: tuple[Scorecard, ...]
    verdicts: tuple[Verdict, ...]
    runs: tuple[RunRecord, ...]
    controls: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def report_path(self) -> Path:
        return self.path / "report.html"


def compare(
    models: Sequence[str],
    data: str,
    *,
    budget: str = "2m",
    seeds: int | Sequence[int] = 3,
    trials: int = 1,
    match: Match = "none",
    controls: bool = True,
    out: Path | str | None = None,
    precision: PrecisionChoice = "auto",
    size: int | tuple[int, int] | str | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    strict: bool = False,
    tokens: Tokens | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
    windows: bool = False,
    column: str | None = None,
    jobs: int | None = None,
    limit: int = 10_000,
    weights: Sequence[Path] = (),
    language: str = "en",
    show_training_examples: bool = True,
    observer: TrialsObserver | None = None,
    progress: Reading | None = None,
) -> Comparison:
    """Train every model with every seed on an equal budget, judge all runs alike, and write a report.

    Each trial is a process of its own. Trials that are finished already are kept, so running the same comparison
    again after an interruption finishes the rest. A trial that fails is counted, and the others go on.

    Args:
        models: Names of models; settings may follow: ``unbalanced-gan:pretraining=none``.
        data: A built-in name, a path, or ``hf:OWNER/NAME``.
        budget: What each trial may spend.
        seeds: How many seeds (0, 1, ...), or which.
        trials: Settings tried for every model on the first seed, its own and random ones of the ranges it declares;
            the best on the validation split is what the seeds are trained with. Each trial may spend the budget.
        match: Give every model the width at which it has as many trainable ``parameters`` as the first one, or takes as
            many operations for a training example (``flops``); how well that went is reported.
        controls: Compare with what no network may lose to as well: fits without a step, copies, noise.
        out: Folder of the comparison; by default named after what is compared, below ``runs``.
        precision: Arithmetic of all networks. ``auto`` takes what is fastest for every model, else float32.
        size: Side of the images in pixels, (height, width) or "HxW"; by default that of the data.
        channels: 1, 3 or 4; by default what the data has.
        fit: How images of another aspect ratio are met.
        strict: A file that cannot be read is an error instead of a finding.
        tokens: What text is cut into: characters, bytes, bpe or unigram.
        vocabulary: Most pieces of text.
        length: Tokens of an example of text.
        windows: Take text as one running text and cut it into windows.
        column: The column of text in a table.
        jobs: Trials side by side; by default as many as there are cores. The cores are shared out evenly.
        limit: The most real and generated examples that are compared.
        weights: Files of pretrained weights to look through as well (DINOv2, CLIP, Inception).
        language: Of the report: ``en`` or ``uk``.
        show_training_examples: Show the nearest training examples beside the most suspicious samples in the report.
        observer: Told what happens to the trials.
        progress: Told while data is read.

    Raises:
        UsageError: Something asked for does not exist, or the folder holds another comparison.
        TvirError: No trial finished, or the work was interrupted.
    """
    Budget.parse(budget)
    if trials < 1:
        raise UsageError(f"--trials {trials} tries nothing; 1 takes the settings as they stand, more search them")
    asked = read_contestants(models)
    chosen = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    request = DataRequest(
        reference=data, size=size, channels=channels, fit=fit, strict=strict, tokens=tokens, vocabulary=vocabulary,
        length=length, windows=windows, column=column,
    )  # fmt: skip
    dataset = request.open(progress)
    place = Path(out) if out is not None else Path("runs") / "-".join(["compare", *models, short_name(data), budget])
    plan_trials(list(asked), chosen, place)  # what cannot be compared is refused before anything is tried
    added = controls_for(dataset.spec, asked) if controls else {}
    contest = _Contest(
        dataset=dataset, place=place, budget=budget, jobs=jobs, limit=limit, weights=weights,
        observer=observer or TrialsObserver(), progress=progress, controls=list(added),
    )  # fmt: skip
    sized = match_sizes(asked, dataset, match)
    settings, attempts, arithmetic = contest.search(sized, trials, chosen[0], precision)
    planned = plan_trials([*asked, *added], chosen, place, configs={**settings, **added})
    ledger, jury = contest.hold(planned, arithmetic)
    ledger = replace(ledger, attempts=attempts, match=match, sizes=measure_sizes(settings, dataset, match))
    write_ledger(place / "comparison.json", ledger)
    write_table(place / "comparison.csv", ledger)
    shown = {trial.path: trial.model for trial in planned}
    report = replace(
        _report(ledger, planned, jury.cards(), dataset, chosen, place),
        evidence={shown[path]: found for path, found in jury.evidence.items()},
        show_training_examples=show_training_examples,
    )
    write_report(place / "report.html", report, language)
    return Comparison(
        path=place,
        cards=tuple(ledger.cards),
        verdicts=tuple(ledger.verdicts),
        runs=tuple(RunFolder(trial.path).read() for trial in planned),
        controls=tuple(added),
        failed=tuple(f"{place / trial.path}: {trial.reason}" for trial in ledger.trials if trial.reason),
    )


@dataclass(frozen=True, kw_only=True)
class _Contest:
    """What all parts of a comparison share; the arguments are those of ``compare``."""

    dataset: Dataset
    place: Path
    budget: str
    jobs: int | None
    limit: int
    weights: Sequence[Path]
    observer: TrialsObserver
    progress: Reading | None
    controls: Sequence[str]

    def search(
        self, contestants: Settings, number: int, seed: int, precision: PrecisionChoice
    ) -> tuple[Settings, Sequence[Attempt], PrecisionChoice | Precision]:
        """The best of ``number`` settings for every contestant on the validation split, and the arithmetic used."""
        if number == 1:
            return contestants, (), precision
        trials = plan_search(contestants, ranges_for(contestants, self.dataset), number, seed, self.place)
        cores = Cores.share(len(trials), self.jobs)
        shared = plan_all(trials, self.dataset, self.budget, precision, cores.threads)
        reasons = train_all(trials, cores, self.observer)
        chosen, attempts = select(trials, reasons, self.dataset, self.place, self.limit, self.progress)
        return chosen, attempts, shared

    def hold(self, trials: Sequence[Trial], precision: PrecisionChoice | Precision) -> tuple[Ledger, Jury]:
        """Train and judge all trials, and say what the numbers support."""
        cores = Cores.share(len(trials), self.jobs)
        shared = plan_all(trials, self.dataset, self.budget, precision, cores.threads)
        jury = Jury(
            self.dataset,
            self.limit,
            cores,
            lambda done: self.observer.judging(done, len(trials)),
            self.progress,
            # The first seed of every model stands for it in pictures: chosen before anything was seen.
            {trial.path for trial in trials if trial.seed == trials[0].seed and trial.model not in self.controls},
            self.weights,
        )
        fit_here([trial for trial in trials if trial.model in self.controls], self.observer)
        reasons = train_all(trials, cores, self.observer, finished=jury.receive, spare=jury.begin)
        if len(reasons) == len(trials):
            raise TvirError(f"none of the {len(trials)} runs finished; the first says: {next(iter(reasons.values()))}")
        cards, spreads = jury.cards(), jury.floor_spreads()
        subjects = dict.fromkeys(trial.model for trial in trials)
        judged = {subject: found for subject in subjects if (found := _cards_of(subject, trials, cards))}
        decided = verdicts(judged, spreads, controls=self.controls)
        ranked = [subject for subject in judged if subject not in self.controls]
        ledger = Ledger(
            data=record_data(self.dataset),
            budget=self.budget,
            precision=shared,
            jobs=cores.jobs,
            threads=cores.threads,
            trials=[_result(trial, self.place, reasons, cards) for trial in trials],
            cards=[summarise(list(found.values()), subject) for subject, found in judged.items()],
            verdicts=decided,
            controls=list(self.controls),
            ranks=rank(ranked, decided),
            dominating=dominating(ranked, decided),
            floor_spreads=[
                FloorSpread(metric=metric, space=space, spread=found) for (metric, space), found in spreads.items()
            ],
        )
        return ledger, jury


def _cards_of(subject: str, trials: Sequence[Trial], cards: Mapping[Path, Scorecard]) -> dict[int, Scorecard]:
    return {trial.seed: cards[trial.path] for trial in trials if trial.model == subject and trial.path in cards}


def _result(trial: Trial, place: Path, reasons: Mapping[Path, str], cards: Mapping[Path, Scorecard]) -> TrialResult:
    return TrialResult(
        subject=trial.model,
        seed=trial.seed,
        path=str(trial.path.relative_to(place)),
        status=RunFolder(trial.path).read().status,
        reason=reasons.get(trial.path),
        card=cards.get(trial.path),
    )


def _report(
    ledger: Ledger,
    trials: Sequence[Trial],
    cards: Mapping[Path, Scorecard],
    dataset: Dataset,
    seeds: Sequence[int],
    place: Path,
) -> ComparisonReport:
    shown = {trial.model: Run(trial.path) for trial in trials if trial.seed == seeds[0] and trial.path in cards}
    return ComparisonReport(
        data=ledger.data,
        budget=ledger.budget,
        seeds=seeds,
        runs=[run_entry(Run(trial.path), place, trial.model) for trial in trials],
        controls=ledger.controls,
        cards=ledger.cards,
        verdicts=ledger.verdicts,
        ranks=ledger.ranks,
        dominating=ledger.dominating,
        attempts=ledger.attempts,
        match=ledger.match,
        sizes=ledger.sizes,
        selected_by=SELECTS.quantities[0].name,
        expected_bests=expected_bests(ledger.attempts) if ledger.attempts else {},
        grids=[sample_grid(run, subject) for subject, run in shown.items()],
        strips=[
            strip
            for subject, run in shown.items()
            if subject not in ledger.controls and (strip := film_strip(run, subject)) is not None
        ],
        findings=dataset.all_findings,
    )
