"""How far a flow's mean log density of unseen points lies from that of the true mixture.

    python benchmarks/flow_likelihood.py --data grid25 --steps 3000

The truth is the entropy of the mixture that drew the points, as they estimate it: what no model can beat on average.
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
from tvir.models.flow.flow import Flow


def true_density(truth: Modes, points: Array) -> Array:
    """Log density of points (N, D) in nats, (N,)."""
    squares = np.square(points[:, None].astype(np.float64) - truth.centres).sum(2)
    inside = -squares / (2 * truth.sigma**2)
    volume = points.shape[1] / 2 * np.log(2 * np.pi * truth.sigma**2)
    return np.logaddexp.reduce(inside, axis=1) - volume - np.log(len(truth.centres))


def main() -> None:
    """Train and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", choices=["ring8", "grid25"], default="grid25")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        run = tvir.train("flow", given.data, budget=f"{given.steps}steps", seed=given.seed, out=Path(folder) / "run")
        took = time.process_time() - began
        dataset, model = run.dataset(), run.model
    assert isinstance(model, Flow)
    assert dataset.modes is not None
    points = np.array(dataset.test.rows)
    truth = true_density(dataset.modes, points)
    with evaluating(model):
        found = torch.cat([model.log_prob(part) for part in torch.from_numpy(points).split(1000)]).double().numpy()
    gaps = truth - found
    print(
        f"{given.data}, {given.steps} steps, seed {given.seed}: true {truth.mean():.4f} nats, flow {found.mean():.4f}, "
        f"gap {gaps.mean():.4f} +- {gaps.std() / len(gaps) ** 0.5:.4f} over {len(points):,} unseen points, "
        f"{took:.0f} s of CPU"
    )


if __name__ == "__main__":
    main()
