"""Between two normal distributions the velocity and the path are known."""

import pytest
import torch

from tvir.contracts.noise import Noise
from tvir.objectives.transport import (
    Coupling,
    Euler,
    Independent,
    Midpoint,
    OptimalTransport,
    RungeKutta,
    flow_matching_loss,
)

MEAN, SPREAD = 1.5, 0.4
COUNT = 50_000


def velocity(points, times):
    """E[x - n | (1 - t) n + t x] for x from N(MEAN, SPREAD^2) and standard normal n."""
    times = times[:, None]
    variance = (1 - times) ** 2 + (times * SPREAD) ** 2
    return MEAN + (times * SPREAD**2 - (1 - times)) / variance * (points - times * MEAN)


@pytest.mark.parametrize(("solver", "order"), [(Euler(), 1), (Midpoint(), 2), (RungeKutta(), 4)], ids=str)
def test_the_flow_between_normal_distributions_is_followed_at_the_solver_s_order(solver, order):
    pytest.importorskip("torchdiffeq")
    start = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    exact = MEAN + SPREAD * start  # paths of a line cannot cross
    errors = [float((solver.follow(velocity, start, steps) - exact).abs().max()) for steps in (80, 160)]
    assert errors[0] / errors[1] > 0.9 * 2**order
    assert errors[1] < 0.01


def test_no_velocity_has_a_smaller_loss_than_the_known_one():
    noise, times = Noise(0, count=COUNT), Noise(1, count=COUNT).uniform()
    start, data = noise.normal(1), MEAN + SPREAD * noise.normal(1)
    best = float(flow_matching_loss(velocity, start, data, times))
    # The variance of x - n that a point leaves open, averaged over times.
    t = torch.linspace(0, 1, 1001, dtype=torch.float64)
    left = 1 + SPREAD**2 - (t * SPREAD**2 - (1 - t)) ** 2 / ((1 - t) ** 2 + (t * SPREAD) ** 2)
    assert best == pytest.approx(float(torch.trapezoid(left, t)), rel=0.03)
    for change in (0.2, -0.2):
        assert float(flow_matching_loss(lambda x, t, c=change: velocity(x, t) + c, start, data, times)) > best
        assert float(flow_matching_loss(lambda x, t, c=change: velocity(x, t) * (1 + c), start, data, times)) > best


@pytest.mark.parametrize("coupling", [kind() for kind in Coupling.alternatives().values()], ids=str)
def test_a_coupling_uses_every_noise_once(coupling):
    noise, data = torch.randn(16, 1, 2, 2), torch.randn(16, 1, 2, 2)
    paired = coupling.pair(noise, data)
    assert sorted(map(tuple, paired.flatten(1).tolist())) == sorted(map(tuple, noise.flatten(1).tolist()))


def test_the_shortest_paths_on_a_line_keep_the_order():
    noise, data = torch.randn(32, 1), 3 + torch.randn(32, 1)
    paired = OptimalTransport().pair(noise, data)
    assert torch.equal(paired.flatten().argsort(), data.flatten().argsort())
    assert torch.equal(Independent().pair(noise, data), noise)
