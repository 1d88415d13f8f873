"""Resident memory of training on data of growing size, on one machine in one run.

    python benchmarks/training_memory.py --cifar10 PATH [--times 10] [--budget 40s]

Trains the VAE on CIFAR-10, then on a copy of the same images repeated ``--times`` times as one .npy file (so that the
cached file is that much larger), each in a process of its own, and prints the peak resident memory of both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tvir.contracts.run import RunFolder
from tvir.data.opening import open_dataset


def repeated(reference: str, times: int, path: Path) -> None:
    """Write the images of a dataset, repeated and each time a little different, as one .npy file."""
    rows = open_dataset(reference).train.rows
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(times * len(rows), *rows.shape[1:]))
    for time in range(times):
        out[time * len(rows) : (time + 1) * len(rows)] = np.asarray(rows) ^ np.uint8(time)
    out.flush()


def peak_memory(reference: str, budget: str, place: Path) -> float:
    """Peak resident megabytes of `tvir train vae` in a process of its own, once the data is in the cache."""
    open_dataset(reference)
    run = place / f"run-{abs(hash(reference))}"
    command = [sys.executable, "-m", "tvir", "train", "vae", "--data", reference, "--budget", budget, "--out", str(run)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    peak = RunFolder(run).read().peak_memory
    assert peak is not None
    return peak / 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar10", required=True, help="folder with CIFAR-10 in Parquet")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--budget", default="40s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        large = place / "large.npy"
        repeated(arguments.cifar10, arguments.times, large)
        print(f"peak resident memory of tvir train vae, {arguments.budget} each:")
        for label, reference in (("CIFAR-10", arguments.cifar10), (f"{arguments.times} times as much", str(large))):
            print(f"  {label:<20} {peak_memory(reference, arguments.budget, place):8.0f} MB")


if __name__ == "__main__":
    main()
