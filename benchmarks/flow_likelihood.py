"""How far a flow's mean log density of unseen points lies from that of the true mixture.

    python benchmarks/flow_likelihood.py --data grid25 --steps 3000
    python benchmarks/flow_likelihood.py --data ring8 --steps 3000 --points 100000

The truth is the entropy of the mixture that drew the points, as they estimate it: what no model can beat on average.
With --points the flow learns from so many points drawn anew from the mixture, in place of the 20,000 of the toy; it is
judged on the toy's test split in any case.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import tvir
from tvir.contracts.data import Array, Modes
from tvir.contracts.model import evaluating
from tvir.data.opening import open_dataset
from tvir.models.flow.flow import Flow


def true_density(truth: Modes, points: Array) -> Array:
    """Log density of points (N, D) in nats, (N,)."""
    squares = np.square(points[:, None].astype(np.float64) - truth.centres).sum(2)
    inside = -squares / (2 * truth.sigma**2)
    volume = points.shape[1] / 2 * np.log(2 * np.pi * truth.sigma**2)
    return np.logaddexp.reduce(inside, axis=1) - volume - np.log(len(truth.centres))


def drawn(truth: Modes, count: int, folder: Path) -> str:
    """A file of points of the mixture, of which a tenth each is dealt to validation and test."""
    random = np.random.default_rng(0)
    centres = truth.centres[random.integers(len(truth.centres), size=count * 10 // 8)]
    path = folder / "points.npy"
    np.save(path, (centres + truth.sigma * random.normal(size=centres.shape)).astype(np.float32))
    return str(path)


def main() -> None:
    """Train and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", choices=["ring8", "grid25"], default="grid25")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--points", type=int, help="to learn from; those of the toy by default")
    given = parser.parse_args()
    dataset = open_dataset(given.data)
    assert dataset.modes is not None
    with tempfile.TemporaryDirectory() as folder:
        data = drawn(dataset.modes, given.points, Path(folder)) if given.points else given.data
        began = time.process_time()
        run = tvir.train("flow", data, budget=f"{given.steps}steps", seed=given.seed, out=Path(folder) / "run")
        took = time.process_time() - began
        model, learned = run.model, len(run.dataset().train)
    assert isinstance(model, Flow)
    points = np.array(dataset.test.rows)
    truth = true_density(dataset.modes, points)
    with evaluating(model):
        found = torch.cat([model.log_prob(part) for part in torch.from_numpy(points).split(1000)]).double().numpy()
    gaps = truth - found
    print(
        f"{given.data}, {learned:,} points, {given.steps} steps, seed {given.seed}: "
        f"true {truth.mean():.4f} nats, flow {found.mean():.4f}, "
        f"gap {gaps.mean():.4f} +- {gaps.std() / len(gaps) ** 0.5:.4f} over {len(points):,} unseen points, "
        f"{took:.0f} s of CPU"
    )


if __name__ == "__main__":
    main()
