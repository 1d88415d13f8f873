"""What each metric sees of known perturbations: prints the tables of docs/metrics.md.

python benchmarks/metric_behaviour.py --data digits --count 350
python benchmarks/metric_behaviour.py --mnist PATH --count 2000
python benchmarks/metric_behaviour.py --data CAPTIONS.txt --count 350
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tvir.contracts.metric import Axis
from tvir.data.opening import open_dataset
from tvir.evaluation.behaviour import (
    MARGIN,
    PARTITIONS,
    STRONG_MARGIN,
    Behaviour,
    Movement,
    Observing,
    dealt_anew,
)
from tvir.evaluation.scorecard import find_metrics

MARKS: dict[Movement | None, str] = {
    "much worse": "▼▼", "worse": "▼", "better": "△", "much better": "△△", None: "·",
}  # fmt: skip


def tables(behaviour: Behaviour) -> Iterator[str]:
    """One Markdown table per axis."""
    axes = {quantity.name: quantity.axis for metric in find_metrics() for quantity in metric.quantities}
    for axis in Axis:
        keys = [key for key in behaviour.honest if axes[key[0]] is axis]
        if not keys:
            continue
        yield f"\n**{axis.value.capitalize()}**\n"
        yield "| metric | space | " + " | ".join(behaviour.perturbed) + " | honest |"
        yield "|---|---|" + ":-:|" * len(behaviour.perturbed) + "---|"
        for key in sorted(keys, key=lambda key: key[0]):
            marks = (
                MARKS[behaviour.movement(name, key)] if key in behaviour.perturbed[name] else ""
                for name in behaviour.perturbed
            )
            low, high = min(behaviour.honest[key]), max(behaviour.honest[key])
            yield f"| `{key[0]}` | {key[1]} | " + " | ".join(marks) + f" | {low:.3g} … {high:.3g} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data", default="digits", help="what open_dataset reads; labelled square images or text")
    data.add_argument("--mnist", type=Path, help="an IDX folder")
    parser.add_argument("--count", type=int, default=350, help="examples on either side")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    dataset = dealt_anew(open_dataset(str(given.mnist or given.data)), count=given.count, seed=given.seed)
    started = time.perf_counter()
    observing = Observing(
        dataset, count=given.count, seed=given.seed, report=lambda name: print(name, file=sys.stderr, flush=True)
    )
    behaviour = observing.observe()
    print(
        f"{given.mnist or given.data}, {given.count:,} examples on either side, {len(dataset.train):,} of training, "
        f"seed {given.seed}, {2 * PARTITIONS} honest values of each metric, margins {MARGIN:g} and {STRONG_MARGIN:g}; "
        f"{time.perf_counter() - started:.0f} s"
    )
    print("\n".join(tables(behaviour)))


if __name__ == "__main__":
    main()
