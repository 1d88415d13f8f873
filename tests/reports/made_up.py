"""Made-up but realistic inputs for the tests of this room."""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image

from tvir.comparison.ranking import rank
from tvir.comparison.statistics import summarise, verdicts
from tvir.contracts.attempt import Attempt
from tvir.contracts.budget import Spent
from tvir.contracts.metric import Axis, Direction, Score, Scorecard
from tvir.contracts.run import DataRecord, RunRecord, SpecRecord
from tvir.contracts.size import Size
from tvir.reports.content import ComparisonReport, FilmStrip, Frame, RunEntry, RunReport, SampleGrid

SEEDS = (0, 1, 2)
MODELS = ("vae", "gan", "unbalanced-gan")
DATA = DataRecord(
    reference="digits",
    options={"size": None, "channels": 1, "fit": "crop"},
    fingerprint="b2f0c1d4e5a69788",
    spec=SpecRecord(kind="image", size=(1, 8, 8), classes=tuple("0123456789")),
)
FINDINGS = (
    "2 files were skipped: truncated",
    "the source has no split; made one: 1437 train, 180 validation, 180 test",
)

_L, _H = Direction.LOWER, Direction.HIGHER
# metric, space, axis, direction, floor, value per model, spread over seeds
SCORES = [
    ("mmd_rbf", "pixels@raw", Axis.FIDELITY, _L, 0.00021, (0.0213, 0.0087, 0.0061), 0.0008),
    ("mmd_rbf", "classifier@3fa91c02", Axis.FIDELITY, _L, 0.00043, (0.0342, 0.0131, 0.0098), 0.0021),
    ("frechet_distance", "pixels@raw", Axis.FIDELITY, _L, 0.8123, (6.912, 4.120, 3.877), 0.31),
    ("frechet_distance", "classifier@3fa91c02", Axis.FIDELITY, _L, 1.2231, (24.12, 11.93, 9.87), 1.9),
    ("precision", "classifier@3fa91c02", Axis.FIDELITY, _H, 0.9512, (0.821, 0.903, 0.912), 0.02),
    ("density", "pixels@raw", Axis.FIDELITY, _H, 0.9921, (0.612, 0.871, 0.902), 0.03),
    ("density", "classifier@3fa91c02", Axis.FIDELITY, _H, 1.0034, (0.591, 0.829, 0.861), 0.05),
    ("recall", "classifier@3fa91c02", Axis.DIVERSITY, _H, 0.9481, (0.712, 0.641, 0.733), 0.03),
    ("coverage", "pixels@raw", Axis.DIVERSITY, _H, 0.9688, (0.612, 0.701, 0.783), 0.02),
    ("coverage", "classifier@3fa91c02", Axis.DIVERSITY, _H, 0.9675, (0.581, 0.662, 0.751), 0.03),
    ("mode_count", "classifier@3fa91c02", Axis.DIVERSITY, _H, 10, (10, 10, 10), 0),
    ("class_kl", "classifier@3fa91c02", Axis.DIVERSITY, _L, 0.0051, (0.0212, 0.0891, 0.0341), 0.008),
    ("copy_rate", "pixels@raw", Axis.MEMORISATION, _L, 0.0101, (0.0021, 0.0412, 0.0352), 0.004),
    ("reconstruction_mse", "-", Axis.LIKELIHOOD, _L, None, (0.0312, None, 0.0441), 0.001),
]


def card(model: int, seed: int) -> Scorecard:
    """The card of one run."""
    draw = random.Random(f"{model} {seed}")
    scores = [
        Score(
            axis=axis,
            metric=metric,
            space=space,
            value=max(0.0, values[model] + draw.gauss(0, spread)),
            floor=floor,
            better=better,
            n_real=180,
            n_generated=180,
        )
        for metric, space, axis, better, floor, values, spread in SCORES
        if values[model] is not None
    ]
    return Scorecard(subject=MODELS[model], reference="digits b2f0c1d4", scores=tuple(scores))


def cards_by_seed(seeds=SEEDS):
    """Cards by model and by seed."""
    return {name: {seed: card(index, seed) for seed in seeds} for index, name in enumerate(MODELS)}


def summaries(seeds=SEEDS):
    """One card per model."""
    return [summarise(list(by_seed.values()), name) for name, by_seed in cards_by_seed(seeds).items()]


def losses(model: str, seed: int, count: int = 300):
    """Lines of a metrics.jsonl."""
    draw = random.Random(f"{model} {seed} losses")
    for step in range(count):
        share = step / count
        stage = "vae" if model == "vae" or (model == "unbalanced-gan" and share < 0.3) else "gan"
        if stage == "vae":
            terms = {"vae/reconstruction": 12 + 160 * math.exp(-9 * share), "vae/kl": 9 * (1 - math.exp(-12 * share))}
        else:
            terms = {
                "critic/relativistic": 0.66 - 0.2 * share,
                "critic/r1": 0.02 + 0.05 * share,
                "generator/relativistic": 0.72 + 0.4 * share,
            }
        yield {
            "stage": stage, "step": step * 10, "seconds": 30 * share, "samples": step * 1280, "fraction": share,
            "losses": {term: value * (1 + 0.06 * draw.gauss(0, 1)) for term, value in terms.items()},
            "samples_per_second": 5200.0, "learning_rate": 2e-4, "gradient_norms": {stage: 1.0},
        }  # fmt: skip


def run(model: str, seed: int, *, failed: bool = False) -> RunEntry:
    """One run."""
    record = RunRecord(
        model=model,
        config={"width": 64, "loss": "relativistic-paired"} if model == "gan" else {"width": 64},
        data=DATA, budget="30s", seed=seed, status="failed" if failed else "finished",
        spent=Spent(seconds=4.2 if failed else 30.0, steps=310 if failed else 3050 + 11 * seed, samples=390_400),
        versions={"tvir": "0.1.0", "torch": "2.13.0", "python": "3.11.9"},
        failure="the loss critic/r1 was not finite at step 310; try a smaller learning rate" if failed else None,
    )  # fmt: skip
    return RunEntry(
        record=record, path=f"{model}/seed-{seed}", parameters={"vae": 412_673}.get(model, 655_105),
        metrics=() if failed else tuple(losses(model, seed)),
    )  # fmt: skip


def picture(seed: int, noise: float, columns: int = 8, side: int = 8, scale: int = 4) -> Image.Image:
    """A grid of made-up digits: strokes under noise."""
    draw = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:side, 0:side]
    tiles = []
    for _ in range(columns * columns):
        radius, angle, bend = draw.uniform(1.5, 3), draw.uniform(0, np.pi), draw.uniform(0.5, 1)
        x, y = xx - side / 2 + 0.5, yy - side / 2 + 0.5
        u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        ring = np.exp(-((np.hypot(u, v / bend) - radius) ** 2))
        tiles.append(np.clip(ring + noise * draw.standard_normal((side, side)), 0, 1) * 255)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    image = Image.fromarray(np.vstack(rows).astype(np.uint8))
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def comparison() -> ComparisonReport:
    """A comparison in which one run failed."""
    by_seed = cards_by_seed()
    del by_seed["gan"][2]
    by_seed["gan"][3] = card(1, 3)
    return ComparisonReport(
        data=DATA, budget="30s", seeds=(*SEEDS, 3), findings=FINDINGS,
        runs=[run(model, seed, failed=(model, seed) == ("gan", 2)) for seed in (*SEEDS, 3) for model in MODELS],
        cards=[summarise(list(found.values()), name) for name, found in cards_by_seed((0, 1, 2, 3)).items()],
        verdicts=(decided := verdicts(cards_by_seed((0, 1, 2, 3)))),
        ranks=rank(MODELS, decided), match="parameters",
        sizes=[Size(subject=model, width=32, parameters=400_000 + 100_000 * n) for n, model in enumerate(MODELS)],
        attempts=[
            Attempt(
                subject=model, settings={"generator_learning_rate": 0.001 * number} if number else {},
                path=f"{model}/setting-{number}", status="finished", value=0.3 / (1 + index + number),
            )
            for number in range(3)
            for index, model in enumerate(MODELS)
        ],
        selected_by="mmd_rbf",
        expected_bests={model: [0.3 / (2 + index), 0.25 / (2 + index)] for index, model in enumerate(MODELS)},
        grids=[
            SampleGrid(
                image=picture(7, 0.25 / (index + 1)), model=model, training_seed=0, steps=3050, sample_seed=0, count=64
            )
            for index, model in enumerate(MODELS)
        ],
        strips=[
            FilmStrip(
                model=model, training_seed=0,
                frames=[Frame(image=picture(7, 2.0 / (1 + k), columns=4), step=step)
                        for k, step in enumerate((0, 10, 30, 100, 300, 1000, 3050))],
            )
            for model in MODELS
        ],
    )  # fmt: skip


def run_report() -> RunReport:
    """The report of a finished run."""
    whole = comparison()
    return RunReport(run=whole.runs[2], card=card(2, 0), grids=[whole.grids[2]], strip=whole.strips[2])
