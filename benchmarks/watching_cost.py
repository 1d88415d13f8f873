"""What it costs that a training is watched for illnesses: the same GAN on MNIST with and without HealthWatch.

    python benchmarks/watching_cost.py --mnist PATH [--rounds 3] [--steps 1400] [--width 32]

Both sides train from the same seed for the same number of steps, previews and checkpoints included. Time is that of the
processor, so that a busy machine changes little. Beside the paired ratio stands the share of it that was spent inside
the watch: the ratio of two long trainings is noisier than one per cent. 1,400 steps are about a minute on a quiet core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from measuring import alternate, mnist, report

from tvir.contracts.data import Dataset
from tvir.contracts.model import GenerativeModel
from tvir.contracts.run import Precision, RunRecord
from tvir.models.gan.gan import Gan
from tvir.training.observer import Observer, Progress
from tvir.training.trainer import Trainer
from tvir.workflows.building import build_model
from tvir.workflows.planning import plan_run
from tvir.workflows.watching import HealthWatch


class Clocked(Observer):
    """Passes on what a watch needs to hear, and counts the processor seconds that it takes.

    Args:
        watch: The watch.
    """

    def __init__(self, watch: HealthWatch) -> None:
        self._watch = watch
        self.seconds = 0.0
        self.looks: list[float] = []

    def started(self, record: RunRecord) -> None:
        self._count(lambda: self._watch.started(record))

    def stepped(self, progress: Progress) -> None:
        self._count(lambda: self._watch.stepped(progress))

    def pictured(self, model: GenerativeModel, fraction: float) -> None:
        self.looks.append(self._count(lambda: self._watch.pictured(model, fraction)))

    def _count(self, call: Callable[[], None]) -> float:
        began = time.process_time()
        call()
        spent = time.process_time() - began
        self.seconds += spent
        return spent


def rate(data: Dataset, config: Gan.Config, steps: int, *, watched: bool) -> float:
    """Steps per second of processor time."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "run"
        folder = plan_run("gan", data, budget=f"{steps}steps", config=config, out=out, precision=Precision())
        model = build_model(folder.read())
        clocked = Clocked(HealthWatch(Observer(), folder, data, model)) if watched else None
        began = time.process_time()
        Trainer(model, data.train, folder, observer=clocked).run()
        spent = time.process_time() - began
        if clocked:
            looks = ", ".join(f"{seconds:.2f}" for seconds in clocked.looks)
            share = f"{clocked.seconds:.2f} of {spent:.1f} s, {clocked.seconds / spent:.2%}"
            print(f"  inside the watch: {share}; at pictures: {looks}")
        return steps / spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder with MNIST's IDX files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1400)
    parser.add_argument("--width", type=int, default=32)
    arguments = parser.parse_args()
    data = mnist(arguments.mnist)
    config = replace(Gan.Config(), width=arguments.width)
    steps = arguments.steps
    windows = alternate(
        [lambda: rate(data, config, steps, watched=True), lambda: rate(data, config, steps, watched=False)],
        arguments.rounds,
    )
    report(f"GAN on MNIST, width {config.width}, {steps} steps", "steps/s", ["watched", "unwatched"], windows)


if __name__ == "__main__":
    main()
