"""How many modes of stacked images a run finds, judged as in the literature: on 26,000 samples.

    tvir train gan --data stacked:PATH/TO/MNIST --budget 10m --out RUN
    python recipes/stacked_modes.py RUN [RUN ...] [--count 26000]

``tvir evaluate RUN`` shows the same two scores among all others, on at most 10,000 samples. Here it takes one core half
a minute. Real stacks of the validation split, as many as are judged, give the floor. The literature counts a mode as
found with its first sample; here it must be made a tenth as often as it is real.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from unbalanced_study import Ruler

import tvir
from tvir.contracts.data import Array


def main() -> None:
    """Print a line for the floor and for every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=26_000)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    runs = [tvir.load(path) for path in asked.runs]
    for data in dict.fromkeys(run.record.data.reference for run in runs):
        mine = [run for run in runs if run.record.data.reference == data]
        dataset = mine[0].dataset()
        ruler = Ruler(dataset, asked.count)
        print(f"{data}, {asked.count:,} samples")
        _tell("real stacks", ruler, dataset.validation.rows[: asked.count])
        for run in mine:
            _tell(str(run.path), ruler, run.sample(asked.count, seed=1))


def _tell(name: str, ruler: Ruler, rows: Array) -> None:
    found = ruler.measure_rows(rows)
    print(f"  {name}: {found['mode_count']:.0f} modes, KL {found['class_kl']:.4f}", flush=True)


if __name__ == "__main__":
    main()
