"""What judging costs: memory at 50,000 rows, time and memory over N, and the seconds of a whole scorecard.

    python benchmarks/judging_scale.py memory [--count 50000] [--dimensions 512]
    python benchmarks/judging_scale.py growth [--counts 1000 2000 5000 10000 20000] [--dimensions 512] [--rounds 3]
    python benchmarks/judging_scale.py scorecard --mnist PATH [--limit 10000]

All take [--threads 2] and need Linux, whose /proc tells the peak memory of a process since it was last asked.

``memory``: precision, recall, density and coverage; ``growth``: the metrics that look at all pairs, and the power of N
with which each grows between the last two sizes. Every measurement has a process of its own that makes its features,
warms up on a few rows, and then counts the seconds and how far the resident memory rises above what it was with the
features in it.

``scorecard``: the default scorecard of 10,000 MNIST digits in a process with an empty cache: preparing (extractors
trained, features of the training split's classifier), floor and judging, and the seconds of every metric in the latter
two. The digits are training ones with noise on them, as many as there are test digits; the validation split is made as
large. A metric that is the first to look at some rows through an extractor is charged with the extraction.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from measuring import alternate, mnist

from tvir.contracts.data import Array, Dataset, Examples, VectorSpec
from tvir.contracts.metric import Context, Metric, Points
from tvir.evaluation.metrics.copy_rate import CopyRate
from tvir.evaluation.metrics.kid import Kid
from tvir.evaluation.metrics.mmd_rbf import MmdRbf
from tvir.evaluation.metrics.precision_recall_density_coverage import PrecisionRecallDensityCoverage
from tvir.evaluation.scorecard import Judge, find_metrics

ALL_PAIRS: dict[str, type[Metric]] = {
    "precision_recall_density_coverage": PrecisionRecallDensityCoverage,
    "mmd_rbf": MmdRbf,
    "kid": Kid,
    "copy_rate": CopyRate,
}
"""The metrics whose cost grows with the square of the number of rows."""


def resident(what: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at most since ``forget_peak``."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[what].split()[0]) / 1024


def forget_peak() -> None:
    """Let VmHWM begin again at VmRSS."""
    Path("/proc/self/clear_refs").write_text("5")


def vectors(count: int, dimensions: int, seed: int) -> Points:
    """Normal vectors that are their own features."""
    rows = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed)).numpy()
    return Points(rows=rows, features={"vectors@benchmark": rows})


def measure(metric: Metric, count: int, dimensions: int) -> dict[str, float]:
    """Seconds and extra resident megabytes of one metric between two sets, in this process."""

    def run(real: Points, generated: Points, train: Points) -> None:
        list(metric.measure(real, generated, Context(spec=spec, train=train, held_out=train)))

    spec = VectorSpec(features=dimensions)
    run(*(vectors(64, dimensions, seed) for seed in range(3)))
    real, generated = (vectors(count, dimensions, seed) for seed in range(2))
    train = vectors(count if isinstance(metric, CopyRate) else 1, dimensions, 2)
    forget_peak()
    before, started = resident("VmRSS"), time.perf_counter()
    run(real, generated, train)
    return {"seconds": time.perf_counter() - started, "megabytes": resident("VmHWM") - before}


def apart(arguments: argparse.Namespace, *more: str) -> dict[str, float]:
    """Run one measurement of this script in a process of its own."""
    command = [sys.executable, __file__, *more, "--threads", str(arguments.threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def one(arguments: argparse.Namespace, metric: str, count: int) -> dict[str, float]:
    """Seconds and megabytes of a metric at one size."""
    return apart(arguments, "one", metric, str(count), "--dimensions", str(arguments.dimensions))


def memory(arguments: argparse.Namespace) -> None:
    """Print the memory of precision, recall, density and coverage at one size."""
    found = one(arguments, "precision_recall_density_coverage", arguments.count)
    size = f"{arguments.count:,} x {arguments.dimensions:,}"
    print(f"| precision, recall, density, coverage, {size} | {found['seconds']:.1f} | {found['megabytes']:.0f} |")


def growth(arguments: argparse.Namespace) -> None:
    """Print time and memory of each metric over N."""
    print(f"best of {arguments.rounds} rounds, {arguments.dimensions} dimensions, {arguments.threads} threads")
    print(f"| metric | {' | '.join(f'{count:,}' for count in arguments.counts)} | power of N: time, memory |")
    for metric in ALL_PAIRS:
        most = dict.fromkeys(arguments.counts, 0.0)

        def side(count: int, metric: str = metric, most: dict[int, float] = most) -> float:
            found = one(arguments, metric, count)
            most[count] = max(most[count], found["megabytes"])
            return 1 / found["seconds"]

        windows = alternate([lambda count=count: side(count) for count in arguments.counts], arguments.rounds)
        seconds = [min(1 / window.rate for window in kept) for kept in windows]
        cells = [f"{taken:.2f} s, {most[count]:.0f} MB" for count, taken in zip(arguments.counts, seconds, strict=True)]
        powers = [power(arguments.counts, values) for values in (seconds, list(most.values()))]
        print(f"| {metric} | {' | '.join(cells)} | {powers[0]:.2f}, {powers[1]:.2f} |", flush=True)


def power(counts: Sequence[int], costs: Sequence[float]) -> float:
    """The p of costs ~ counts^p between the last two."""
    return math.log(costs[-1] / costs[-2]) / math.log(counts[-1] / counts[-2])


class Stopwatch:
    """Listens to a judge's progress and notes when each step began."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, int], float] = {}

    def __call__(self, description: str, done: int, total: int) -> None:
        del total
        self._marks.setdefault((description, done), time.perf_counter())

    def began(self, description: str) -> float:
        """When the first step of a kind began."""
        return self._marks[description, 0]

    def steps(self, description: str, count: int) -> list[float]:
        """Seconds of every step of a kind."""
        times = [self._marks[description, step] for step in range(count + 1)]
        return [after - before for before, after in itertools.pairwise(times)]


def evenly_split(data: Dataset) -> Dataset:
    """The same data with as many validation as test examples, taken from the end of the training split."""
    train, validation = data.train, data.validation
    kept = len(train) - max(0, len(data.test) - len(validation))
    rows = np.concatenate([validation.rows, train.rows[kept:]])
    labels = None
    if train.labels is not None and validation.labels is not None:
        labels = np.concatenate([validation.labels, train.labels[kept:]])
    first = Examples(data.spec, train.rows[:kept], None if train.labels is None else train.labels[:kept])
    return Dataset(
        reference=data.reference, fingerprint=data.fingerprint + "-evenly",
        train=first, validation=Examples(data.spec, rows, labels), test=data.test,
    )  # fmt: skip


def noisy(rows: Array) -> Array:
    """Images as an imperfect generator might make them."""
    return np.clip(rows + np.random.default_rng(0).normal(0, 8, rows.shape), 0, 255).astype(np.uint8)


def judge_once(path: Path, limit: int) -> dict[str, float]:
    """Seconds of every part of a scorecard, by name, in this process."""
    data = evenly_split(mnist(path))
    watch = Stopwatch()
    started = time.perf_counter()
    judge = Judge(data, limit=limit, progress=watch)
    prepared = time.perf_counter()
    generated = noisy(data.train.rows[: judge.sample_count])
    judging = time.perf_counter()
    judge.judge(generated, subject="noisy training digits")
    ended = time.perf_counter()
    found = {
        "rows": float(judge.sample_count),
        "preparing": watch.began("measuring the floor") - started,
        "floor": prepared - watch.began("measuring the floor"),
        "judging": ended - judging,
        "whole": prepared - started + ended - judging,
    }
    metrics = find_metrics()
    floors, scores = (watch.steps(purpose, len(metrics)) for purpose in ("measuring the floor", "measuring"))
    for metric, floor, score in zip(metrics, floors, scores, strict=True):
        name = type(metric).__module__.rsplit(".", 1)[1]
        found |= {f"floor: {name}": floor, f"judging: {name}": score}
    return {**found, "judging: intervals": found["judging"] - sum(scores), "megabytes": resident("VmHWM")}


def scorecard(arguments: argparse.Namespace) -> None:
    """Print the seconds of a whole scorecard: its parts, then its metrics, slowest first."""
    found = apart(arguments, "judge", "--mnist", str(arguments.mnist), "--limit", str(arguments.limit))
    print(f"{found['rows']:,.0f} rows, {arguments.threads} threads, peak {found['megabytes']:.0f} MB resident")
    for part in ("preparing", "floor", "judging", "whole"):
        print(f"| {part} | {found[part]:.1f} |")
    names = [key.removeprefix("judging: ") for key in found if key.startswith("judging: ")]
    print("\n| metric | seconds, floor | seconds, judging |")
    for name in sorted(names, key=lambda name: -found[f"judging: {name}"]):
        print(f"| {name} | {found.get(f'floor: {name}', 0):.2f} | {found[f'judging: {name}']:.2f} |")


def judge_with_empty_cache(arguments: argparse.Namespace) -> dict[str, float]:
    """As ``judge_once``, with nothing kept from earlier runs; reading MNIST is not counted."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TVIR_CACHE"] = cache
        return judge_once(arguments.mnist, arguments.limit)


def parser() -> argparse.ArgumentParser:
    """The command line; ``one`` and ``judge`` are what the script calls itself with."""
    root = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = root.add_subparsers(dest="command", required=True, metavar="{memory,growth,scorecard}")
    for name in ("memory", "growth", "scorecard", "one", "judge"):
        command = commands.add_parser(name)
        command.add_argument("--threads", type=int, default=2)
        if name in ("scorecard", "judge"):
            command.add_argument("--mnist", type=Path, required=True, help="folder with MNIST's IDX files")
            command.add_argument("--limit", type=int, default=10_000)
        else:
            command.add_argument("--dimensions", type=int, default=512)
        if name == "one":
            command.add_argument("metric", choices=ALL_PAIRS)
            command.add_argument("count", type=int)
        elif name == "memory":
            command.add_argument("--count", type=int, default=50_000)
        elif name == "growth":
            command.add_argument("--counts", type=int, nargs="+", default=[1_000, 2_000, 5_000, 10_000, 20_000])
            command.add_argument("--rounds", type=int, default=3)
    return root


def main() -> None:
    """Measure and print."""
    arguments = parser().parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.command == "one":
        print(json.dumps(measure(ALL_PAIRS[arguments.metric](), arguments.count, arguments.dimensions)))
    elif arguments.command == "judge":
        print(json.dumps(judge_with_empty_cache(arguments)))
    else:
        {"memory": memory, "growth": growth, "scorecard": scorecard}[arguments.command](arguments)


if __name__ == "__main__":
    main()
