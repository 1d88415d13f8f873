"""Does it help a GAN when its generator was first trained as a VAE's decoder?

Ham, Jun and Kim (2020, Unbalanced GANs, arXiv 2002.02112) claim less mode collapse, steadier training, faster
convergence and better images early. This study measures the claims: five ways to begin, four losses, several seeds.

    python recipes/unbalanced_study.py --data ring8 grid25 [--scale 1] [--seeds 5] [--jobs 2]
    python recipes/unbalanced_study.py --data PATH/TO/MNIST --scale 0.5
    python recipes/unbalanced_study.py --data stacked:PATH/TO/MNIST --critic 1 0.25 --scale 0.5
    python recipes/unbalanced_study.py --report

Compute is matched: what pre-training costs is taken from the game. Cost is counted in floating-point operations of
training steps, so a busy machine changes nothing. Every run that is finished leaves one file in --out; the same command
does what is missing, and being killed loses the runs at work. ``--scale`` multiplies all budgets. At scale 0.5 a
run took 15 CPU seconds on a toy and 40 on MNIST; --report draws the page from the files alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from studying import silent, versions
from unbalanced_report import write_pages

import tvir
from tvir.contracts.data import Array, Dataset, ImageSpec
from tvir.contracts.errors import TvirError
from tvir.contracts.flops import step_flops
from tvir.contracts.metric import Context, Metric, Points
from tvir.contracts.model import GenerativeModel, evaluating
from tvir.contracts.run import write_atomically
from tvir.data.opening import open_dataset
from tvir.evaluation.extractor import ClassifiesFeatures, FeatureExtractor, LazyFeatures
from tvir.evaluation.features.classifier import Classifier
from tvir.evaluation.features.pixels import Pixels
from tvir.evaluation.features.self_supervised import SelfSupervised
from tvir.evaluation.metrics.class_histogram import ClassHistogram
from tvir.evaluation.metrics.frechet_distance import FrechetDistance
from tvir.evaluation.metrics.high_quality_share import HighQualityShare
from tvir.evaluation.metrics.modes_found import ModesFound
from tvir.evaluation.metrics.precision_recall_density_coverage import PrecisionRecallDensityCoverage
from tvir.evaluation.metrics.reverse_kl import ReverseKl
from tvir.models.hybrid.unbalanced_gan import UnbalancedGan
from tvir.training.observer import Observer
from tvir.workflows.building import construct
from tvir.workflows.requesting import short_name

ARMS: Mapping[str, Mapping[str, Any]] = {
    "random": {"pretraining": "none"},
    "vae": {"pretraining": "vae", "prior": "normal"},
    "ae": {"pretraining": "ae", "prior": "normal"},
    "vae+encoder": {"pretraining": "vae", "transfer": "decoder+encoder", "prior": "normal"},
    "vae+aggregated": {"pretraining": "vae", "prior": "aggregated"},
}
"""How the game begins."""

LOSSES: Mapping[str, Mapping[str, Any]] = {
    "non-saturating": {"loss": "non-saturating", "regulariser": "none"},
    "least-squares": {"loss": "least-squares", "regulariser": "none"},
    # The generator moves at every fourth step only: the default warm-up would take half of a short budget.
    "wgan-gp": {"loss": "wasserstein", "regulariser": "gradient-penalty", "critic_steps": 4, "generator_warmup": 50},
    "relativistic": {"loss": "relativistic-paired", "regulariser": "auto"},
}
"""What is played for; the first two as DCGAN and LSGAN had them, without a penalty."""

PRETRAINING = 0.2
"""Share of the compute that pre-training takes, where there is any."""

SMALL_STEPS = {"generator_learning_rate": 5e-4, "critic_learning_rate": 5e-4}
"""Without R1 and R2 the step sizes that suit the relativistic game end in a collapse of every arm."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Settings for one kind of data.

    Args:
        steps: Steps of the random start at scale 1; what they cost is the budget of every arm.
        config: Settings that all arms share.
        count: Generated and real examples that are compared.
    """

    steps: int
    config: Mapping[str, Any]
    count: int


# Of its own a generator of vectors takes the small steps that suit a trained one: no start for a random one, and
# their warm-up would take half of so short a game.
TOY = Field(
    steps=6_000,
    config={
        "batch_size": 256, "latent": 2, "normalisation": "none", "prior_components": 50,
        "generator_learning_rate": 2e-3, "generator_warmup": 200,
    },
    count=2_500,
)  # fmt: skip
IMAGES = Field(steps=3_000, config={"batch_size": 64, "width": 16, "latent": 32}, count=2_000)
# A thousand modes need ten samples each to be counted, and latents that hold three digits.
STACKS = Field(steps=3_000, config={"batch_size": 64, "width": 16, "latent": 64}, count=10_000)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training of the study."""

    data: str
    loss: str
    arm: str
    seed: int
    scale: float
    critic: float = 1.0

    @property
    def label(self) -> str:
        """Of the data, and of the critic where it is narrower than the generator."""
        return short_name(self.data) + ("" if self.critic == 1 else f"-critic{self.critic:g}")

    @property
    def name(self) -> str:
        """Of the file that the result is kept in."""
        return re.sub(r"[^\w.+-]", "-", f"{self.label}_{self.loss}_{self.arm}_{self.seed}_x{self.scale:g}")


@dataclass(kw_only=True)
class Result:
    """What a trial came to: a point for every share of the compute in ``MEASURED``.

    ``modes`` is how many the data has where they are the classes of stacked images, else 0.
    """

    data: str
    loss: str
    arm: str
    seed: int
    scale: float
    critic: float = 1.0
    modes: int = 0
    points: list[dict[str, float]] = field(default_factory=list)
    critic_loss_deviation: float | None = None
    steps: dict[str, int] = field(default_factory=dict)
    petaflops: float = 0.0
    seconds: float = 0.0
    failure: str | None = None
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)


class Ruler:
    """Measures what a model makes, the same for all arms."""

    def __init__(self, dataset: Dataset, count: int) -> None:
        self._dataset = dataset
        images = isinstance(dataset.spec, ImageSpec)
        self._extractors = [self._extractor(dataset)] if images else [_pixels(dataset)]
        self._count = min(count, len(dataset.test))
        self._real = self._points(dataset.test.rows[: self._count])
        self._context = Context(spec=dataset.spec, train=self._real, held_out=self._real, modes=dataset.modes)
        found: list[Metric] = [FrechetDistance()]
        if not _stacked_modes(dataset):  # so many points are needed there that neighbours cost more than the training
            found += [PrecisionRecallDensityCoverage()]
        found += [ClassHistogram()] if images else [ModesFound(), HighQualityShare(), ReverseKl()]
        self._metrics = [metric for metric in found if metric.applies(self._real, self._context)]

    @staticmethod
    def _extractor(dataset: Dataset) -> FeatureExtractor:
        """A classifier where there are labels, else what learns without them."""
        found = Classifier.prepare(dataset, seed=0, report=silent) or SelfSupervised.prepare(
            dataset, seed=0, report=silent
        )
        assert found is not None
        return found

    def measure(self, model: GenerativeModel) -> dict[str, float]:
        """Every score of samples from one seed."""
        with evaluating(model):
            return self.measure_rows(model.spec.to_rows(model.sample(self._count, seed=1)))

    def measure_rows(self, rows: Array) -> dict[str, float]:
        """Every score of rows (N, *row_shape); those that are not finite give none."""
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            return {}
        made = self._points(rows)
        return {
            name: value
            for metric in self._metrics
            for name, _, value in metric.measure(self._real, made, self._context)
        }

    def _points(self, rows: Any) -> Points:
        features = LazyFeatures(np.asarray(rows), self._extractors)
        (extractor,) = self._extractors
        classes = None
        if isinstance(extractor, ClassifiesFeatures):
            classes = extractor.classify(features[extractor.name])
        return Points(rows=np.asarray(rows), features=features, predicted=classes)


MEASURED = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0)
"""Shares of the compute at which every arm is measured."""


class Watch(Observer):
    """Measures at shares of the compute.

    Args:
        ruler: What measures.
    """

    def __init__(self, ruler: Ruler) -> None:
        self.ruler = ruler
        self.points: list[dict[str, float]] = []

    @property
    def picture_shares(self) -> Sequence[float]:
        return MEASURED

    def pictured(self, model: GenerativeModel, fraction: float) -> None:
        share = max(share for share in MEASURED if share <= fraction)
        self.points.append({"share": share, **self.ruler.measure(model)})


def run_trial(trial: Trial) -> Result:
    """Train and measure one trial in this process."""
    torch.set_num_threads(1)
    started = time.process_time()
    dataset = open_dataset(trial.data)
    place = _field(dataset)
    result = Result(**asdict(trial), machine=f"{platform.machine()}, {os.cpu_count()} cores", versions=versions())
    result.data, result.modes = trial.label, _stacked_modes(dataset)
    config, budget = _plan(trial, dataset, place)
    result.petaflops = budget / 1e15
    watch = Watch(Ruler(dataset, place.count))
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = tvir.train(
                "unbalanced-gan", trial.data, budget=f"{budget:.0f}flops", seed=trial.seed, out=Path(folder) / "run",
                config=config, precision="float32", observer=watch,
            )  # fmt: skip
            result.steps = run.record.stage_steps
            result.critic_loss_deviation = _deviation(run.folder.metrics())
        except TvirError as error:
            result.failure = str(error)
    result.points = watch.points
    result.seconds = time.process_time() - started
    return result


def _plan(trial: Trial, dataset: Dataset, place: Field) -> tuple[dict[str, Any], float]:
    """Settings of an arm, and the operations that the random start takes, which are the budget of every arm."""
    config = {**place.config, **LOSSES[trial.loss], **({} if trial.loss == "relativistic" else SMALL_STEPS)}
    config |= {"critic_width_share": trial.critic, "pretraining_share": PRETRAINING}
    start = UnbalancedGan.Config.from_json({**config, **ARMS["random"]})
    model = construct(UnbalancedGan, dataset.spec, start, seed=0)
    step = step_flops(model, 0, dataset.spec.to_model(dataset.train.take(np.arange(4))), None)
    return {**config, **ARMS[trial.arm]}, place.steps * trial.scale * step


def _deviation(lines: Any) -> float | None:
    """Standard deviation of the critic's loss over the second half of the game, as it was logged."""
    losses = [line["losses"].get("critic/adversarial") for line in lines if line["stage"] == "adversarial"]
    late = [loss for loss in losses[len(losses) // 2 :] if loss is not None]
    return float(np.std(late)) if len(late) > 1 else None


def _field(dataset: Dataset) -> Field:
    if _stacked_modes(dataset):
        return STACKS
    return IMAGES if isinstance(dataset.spec, ImageSpec) else TOY


def _stacked_modes(dataset: Dataset) -> int:
    """Number of classes where they are made of those of independent images; 0 where they are of one piece."""
    return len(dataset.spec.classes) if len(dataset.spec.class_shape) > 1 else 0


def _pixels(dataset: Dataset) -> FeatureExtractor:
    found = Pixels.prepare(dataset, seed=0, report=silent)
    assert found is not None
    return found


def run_all(trials: Sequence[Trial], out: Path, jobs: int) -> None:
    """Run what is missing, each trial in a process of its own."""
    out.mkdir(parents=True, exist_ok=True)
    waiting = deque(trial for trial in trials if not _path(out, trial).exists())
    print(f"{len(trials) - len(waiting)} of {len(trials)} trials are there", flush=True)
    working: dict[Trial, subprocess.Popen[bytes]] = {}
    while waiting or working:
        while waiting and len(working) < jobs:
            trial = waiting.popleft()
            command = [sys.executable, __file__, "--out", str(out), "--one", json.dumps(asdict(trial))]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            working[trial] = subprocess.Popen(command, env=environment)
        for trial, process in list(working.items()):
            if process.poll() is not None:
                del working[trial]
                said = "done" if process.returncode == 0 else f"FAILED with {process.returncode}"
                print(f"{trial.name}: {said}; {len(waiting)} wait", flush=True)
        time.sleep(0.2)


def _path(out: Path, trial: Trial) -> Path:
    return out / f"{trial.name}.json"


def read_results(out: Path) -> list[Result]:
    """Every result that is there."""
    return [Result(**json.loads(path.read_text("utf-8"))) for path in sorted(out.glob("*_x*.json"))]


def main() -> None:
    """Run trials, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ring8", "grid25"])
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=list(LOSSES))
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--critic", nargs="+", type=float, default=[1.0], help="widths, as shares of the generator's")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("docs/results/unbalanced"))
    parser.add_argument("--report", action="store_true", help="write the page from what is there, and run nothing")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        trial = Trial(**json.loads(asked.one))
        text = json.dumps(asdict(run_trial(trial)), indent=1)
        write_atomically(_path(asked.out, trial), text.encode() + b"\n")
        return
    if not asked.report:
        trials = [
            Trial(data=data, loss=loss, arm=arm, seed=seed, scale=asked.scale, critic=critic)
            for seed in range(asked.seeds)
            for data in asked.data
            for critic in asked.critic
            for loss in asked.losses
            for arm in asked.arms
            # An encoder fits no critic of another width.
            if critic == 1 or "transfer" not in ARMS[arm]
        ]
        run_all(trials, asked.out, asked.jobs)
    write_pages([asdict(result) for result in read_results(asked.out)], asked.out)


if __name__ == "__main__":
    main()
