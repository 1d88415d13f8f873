"""What each metric sees of known perturbations: prints the tables of docs/metrics.md.

    python benchmarks/metric_behaviour.py --data digits --count 350
    python benchmarks/metric_behaviour.py --mnist PATH --count 2000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tvir.contracts.data import Dataset, Examples
from tvir.contracts.metric import Axis
from tvir.data.opening import open_dataset
from tvir.evaluation.behaviour import MARGIN, PARTITIONS, STRONG_MARGIN, Behaviour, Movement, Observing
from tvir.evaluation.perturbations import PERTURBATIONS
from tvir.evaluation.scorecard import find_metrics

MARKS: dict[Movement | None, str] = {
    "much worse": "▼▼", "worse": "▼", "better": "△", "much better": "△△", None: "·",
}  # fmt: skip
MOST_TRAIN = 20_000


def dealt(dataset: Dataset, count: int, seed: int) -> Dataset:
    """The whole of a small set dealt anew; a large one keeps its training split apart, cut to what is needed."""
    parts = [dataset.train, dataset.validation, dataset.test]
    if len(dataset.test) >= 4 * count:
        train, rest = (part.rows[:] for part in (dataset.train, dataset.test))
        order = np.random.default_rng(seed).permutation(len(train))[:MOST_TRAIN]
        train, labels = dataset.train.take(order), dataset.train.labels[order]
        rest_labels = dataset.test.labels[:]
    else:
        rows = np.concatenate([part.rows[:] for part in parts])
        marks = np.concatenate([part.labels[:] for part in parts])
        order = np.random.default_rng(seed).permutation(len(rows))
        apart = len(rows) - 4 * count
        train, labels, rest, rest_labels = (
            rows[order[:apart]], marks[order[:apart]], rows[order[apart:]], marks[order[apart:]],
        )  # fmt: skip
    middle = len(rest) // 2
    split = [Examples(dataset.spec, train, labels), Examples(dataset.spec, rest[:middle], rest_labels[:middle]),
             Examples(dataset.spec, rest[middle:], rest_labels[middle:])]  # fmt: skip
    return Dataset(
        reference=dataset.reference, fingerprint=f"{dataset.fingerprint}-behaviour-{count}-{seed}",
        train=split[0], validation=split[1], test=split[2],
    )  # fmt: skip


def tables(behaviour: Behaviour) -> Iterator[str]:
    """One Markdown table per axis."""
    axes = {quantity.name: quantity.axis for metric in find_metrics() for quantity in metric.quantities}
    for axis in Axis:
        keys = [key for key in behaviour.honest if axes[key[0]] is axis]
        if not keys:
            continue
        yield f"\n**{axis.value.capitalize()}**\n"
        yield "| metric | space | " + " | ".join(PERTURBATIONS) + " | honest |"
        yield "|---|---|" + ":-:|" * len(PERTURBATIONS) + "---|"
        for key in sorted(keys, key=lambda key: key[0]):
            marks = (
                MARKS[behaviour.movement(name, key)] if key in behaviour.perturbed[name] else ""
                for name in PERTURBATIONS
            )
            low, high = min(behaviour.honest[key]), max(behaviour.honest[key])
            yield f"| `{key[0]}` | {key[1]} | " + " | ".join(marks) + f" | {low:.3g} … {high:.3g} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data", default="digits", help="what open_dataset reads; labelled square images")
    data.add_argument("--mnist", type=Path, help="an IDX folder")
    parser.add_argument("--count", type=int, default=350, help="images on either side")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    dataset = dealt(open_dataset(str(given.mnist or given.data)), given.count, given.seed)
    started = time.perf_counter()
    observing = Observing(
        dataset, count=given.count, seed=given.seed, report=lambda name: print(name, file=sys.stderr, flush=True)
    )
    behaviour = observing.observe()
    print(
        f"{given.mnist or given.data}, {given.count:,} images on either side, {len(dataset.train):,} of training, seed "
        f"{given.seed}, {2 * PARTITIONS} honest values of each metric, margins {MARGIN:g} and {STRONG_MARGIN:g}; "
        f"{time.perf_counter() - started:.0f} s"
    )
    print("\n".join(tables(behaviour)))


if __name__ == "__main__":
    main()
