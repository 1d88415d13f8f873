"""Penalties of logits that are known."""

import pytest
import torch

from tvir.contracts.errors import UsageError
from tvir.objectives.logit_penalties import BalancedConsistency, LeCam, LogitRegulariser

REAL, FAKE = torch.tensor([[1.0], [3.0]]), torch.tensor([[-1.0], [0.0]])


def test_lecam_draws_each_side_to_the_average_of_the_other():
    # (1 - (-1))^2 and (3 - (-1))^2, then (2 - (-1))^2 and (2 - 0)^2.
    penalty = LeCam(weight=2.0).of_averages(REAL, FAKE, torch.tensor(2.0), torch.tensor(-1.0))
    assert penalty.item() == pytest.approx(2 * ((4 + 16) / 2 + (9 + 4) / 2))


def test_lecam_leaves_alone_what_is_beyond_its_anchor():
    beyond = LeCam().of_averages(REAL, FAKE, torch.tensor(-5.0), torch.tensor(5.0))
    assert beyond.item() == 0.0


def test_lecam_pulls_logits_and_not_the_averages():
    logits = [side.clone().requires_grad_() for side in (REAL, FAKE)]
    LeCam(weight=1.0).of_averages(*logits, torch.tensor(2.0), torch.tensor(-1.0)).backward()
    # d/dx of (x - a)^2 / 2 for two logits of a side.
    torch.testing.assert_close(logits[0].grad, torch.tensor([[2.0], [4.0]]))
    torch.testing.assert_close(logits[1].grad, torch.tensor([[-3.0], [-2.0]]))


def test_consistency_weighs_either_side_by_itself():
    penalty = BalancedConsistency(real_weight=10.0, fake_weight=4.0).of_changed(REAL, FAKE, REAL + 1, FAKE - 2)
    assert penalty.item() == pytest.approx(10 * 1 + 4 * 4)


def test_consistency_teaches_the_critic_on_both_copies():
    changed = (REAL + 1).requires_grad_()
    real = REAL.clone().requires_grad_()
    BalancedConsistency(fake_weight=0.0).of_changed(real, FAKE, changed, FAKE).backward()
    torch.testing.assert_close(real.grad, torch.full((2, 1), -10.0))
    torch.testing.assert_close(changed.grad, torch.full((2, 1), 10.0))


def test_every_one_can_be_written_and_read():
    for name, kind in LogitRegulariser.alternatives().items():
        assert LogitRegulariser.parse(name) == kind()
    assert LogitRegulariser.parse("lecam:weight=0.3") == LeCam(weight=0.3)
    with pytest.raises(UsageError, match="decay='1' is not usable"):
        LogitRegulariser.parse("lecam:decay=1")
