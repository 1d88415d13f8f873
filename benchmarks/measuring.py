"""What every benchmark shares: real data, alternating windows, and the processor's own peak beside each figure."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tvir.contracts.data import Dataset
from tvir.data.opening import open_dataset
from tvir.training.observer import Observer, Progress


def mnist(path: Path) -> Dataset:
    """MNIST from an IDX folder."""
    return open_dataset(str(path))


def matrix_peak(seconds: float = 0.3, side: int = 1024) -> float:
    """Multiply-adds per second, times two, of a float32 matrix product: how quiet the machine is just now."""
    left, right = torch.randn(side, side), torch.randn(side, side)
    torch.matmul(left, right)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        torch.matmul(left, right)
        count += 1
    return 2 * side**3 * count / (time.perf_counter() - started)


class Timed(Observer):
    """Remembers the training seconds at each report."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    def stepped(self, progress: Progress) -> None:
        self.seen.append((progress.spent.steps, progress.spent.seconds))

    def rate(self, batch: int, warm: int) -> float:
        """Examples per second after the first ``warm`` steps."""
        first = next(point for point in self.seen if point[0] >= warm)
        last = self.seen[-1]
        return batch * (last[0] - first[0]) / (last[1] - first[1])


@dataclass(frozen=True, kw_only=True)
class Window:
    """One timed window of one side, with the lower of the peaks measured just before and just after."""

    rate: float
    peak: float


def alternate(sides: Sequence[Callable[[], float]], rounds: int) -> list[list[Window]]:
    """Run the sides in turn. Each call returns its own rate; windows on a busy machine are thrown away in pairs."""
    windows: list[list[Window]] = [[] for _ in sides]
    for _ in range(rounds):
        for kept, side in zip(windows, sides, strict=True):
            before = matrix_peak()
            rate = side()
            kept.append(Window(rate=rate, peak=min(before, matrix_peak())))
    best = max(window.peak for kept in windows for window in kept)
    quiet = [i for i in range(rounds) if all(kept[i].peak >= 0.7 * best for kept in windows)]
    if not quiet:
        raise SystemExit(f"none of {rounds} rounds was quiet; run again when nothing else runs, or with more rounds")
    return [[kept[i] for i in quiet] for kept in windows]


def report(name: str, unit: str, labels: Sequence[str], windows: Sequence[Sequence[Window]]) -> None:
    """Print median and best of each side and the paired ratios of the first side to each other one."""
    print(f"\n{name}: {len(windows[0])} quiet windows, {platform.processor() or platform.machine()}, "
          f"{torch.get_num_threads()} threads, torch {torch.__version__}")  # fmt: skip
    for label, kept in zip(labels, windows, strict=True):
        rates = [window.rate for window in kept]
        print(f"  {label:<28} median {statistics.median(rates):8.0f} {unit}   best {max(rates):8.0f} {unit}")
    for label, kept in zip(labels[1:], windows[1:], strict=True):
        ratios = sorted(ours.rate / theirs.rate for ours, theirs in zip(windows[0], kept, strict=True))
        print(f"  {labels[0]} / {label}: {statistics.median(ratios):.3f}  (min {ratios[0]:.3f}, max {ratios[-1]:.3f})")


def once(work: Callable[[], object]) -> Callable[[], float]:
    """A side that does its work once; its rate is times per second."""

    def side() -> float:
        started = time.perf_counter()
        work()
        return 1 / (time.perf_counter() - started)

    return side


def report_seconds(name: str, labels: Sequence[str], windows: Sequence[Sequence[Window]]) -> None:
    """Print the seconds of sides made by ``once``, and a row of a Markdown table for each side but the first.

    The columns: what is compared, the peer, seconds of the first side and of the peer (median, best), and how many
    times faster the first is (median of the paired ratios, ratio of the bests).
    """
    peak = max(window.peak for kept in windows for window in kept) / 1e9
    print(f"\n{name}: {len(windows[0])} quiet rounds, {platform.processor() or platform.machine()}, "
          f"{torch.get_num_threads()} threads, torch {torch.__version__}, {peak:.0f} GFLOP/s float32")  # fmt: skip
    seconds = [[1 / window.rate for window in kept] for kept in windows]
    ours = seconds[0]
    for label, theirs in zip(labels, seconds, strict=True):
        print(f"  {label:<28} median {statistics.median(theirs):8.3f} s   best {min(theirs):8.3f} s")
    for label, theirs in zip(labels[1:], seconds[1:], strict=True):
        ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
        cells = [f"{statistics.median(side):.3f}, {min(side):.3f}" for side in (ours, theirs)]
        print(f"| {name} | {label} | {' | '.join(cells)} "
              f"| {statistics.median(ratios):.2f} | {min(theirs) / min(ours):.2f} |")  # fmt: skip
