"""The optimiser, the learning rate, the averaged weights and the timetable, against torch and written-out formulas."""

import math

import pytest
import torch
from torch import nn
from toy_models import PLANE, Mean, build

from tvir.contracts.budget import Budget
from tvir.contracts.model import Adam, Batch, Phase, Player, Stage
from tvir.contracts.noise import Noise
from tvir.contracts.run import Precision
from tvir.training.averaging import Averaging
from tvir.training.moves import prepare_move
from tvir.training.optimiser import FusedAdam, laid_out_like, learning_rate
from tvir.training.position import Position, Timetable
from tvir.training.precision import Arithmetic
from tvir.training.processes import Processes
from tvir.training.work import StageWork


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_fused_adam_is_torchs_adamw(decay):
    torch.manual_seed(0)
    ours = [
        nn.Parameter(torch.randn(5, 3)),
        nn.Parameter(torch.randn(4, 2, 3, 3).to(memory_format=torch.channels_last)),
    ]
    theirs = [nn.Parameter(parameter.detach().clone()) for parameter in ours]
    settings = Adam(learning_rate=0.01, betas=(0.5, 0.9), weight_decay=decay)
    optimiser = FusedAdam(ours, settings)
    reference = torch.optim.AdamW(theirs, lr=0.01, betas=(0.5, 0.9), weight_decay=decay, foreach=False)
    for _ in range(5):
        gradients = [torch.randn(parameter.shape) for parameter in ours]
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = gradient.clone()
        optimiser.step([laid_out_like(*pair) for pair in zip(gradients, ours, strict=True)], 0.01)
        reference.step()
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-6, atol=1e-7)


def test_gradients_take_the_layout_of_their_parameter():
    parameter = torch.zeros(4, 3, 2, 2).to(memory_format=torch.channels_last)
    gradient = torch.randn(4, 3, 2, 2)
    laid = laid_out_like(gradient, parameter)
    assert laid.stride() == parameter.stride()
    assert torch.equal(laid, gradient)
    assert laid_out_like(gradient, gradient) is gradient


def test_learning_rate_warms_up_and_falls_along_a_cosine():
    settings = Adam(learning_rate=2.0, warmup_steps=10, final_share=0.1)
    assert learning_rate(settings, 4, 0.0) == pytest.approx(1.0)
    assert learning_rate(settings, 100, 0.5) == pytest.approx(2.0 * 0.55)
    assert learning_rate(settings, 100, 1.0) == pytest.approx(0.2)
    assert learning_rate(Adam(learning_rate=3.0), 0, 0.7) == pytest.approx(3.0)


def test_average_forgets_half_in_a_half_life():
    parameter = nn.Parameter(torch.zeros(3))
    averaging = Averaging([parameter], half_life=100.0)
    parameter.data.fill_(1.0)
    for _ in range(10):
        averaging.update(10, seen=10**6)
    torch.testing.assert_close(averaging.averages[0], torch.full((3,), 0.5))


def test_average_forgets_the_first_weights_soon():
    parameter = nn.Parameter(torch.full((1,), 1000.0))
    averaging = Averaging([parameter], half_life=1e9)
    parameter.data.fill_(1.0)
    for step in range(200):
        averaging.update(10, seen=10 * (step + 1))
    assert float(averaging.averages[0]) == pytest.approx(1.0, abs=1e-2)


def test_averaged_weights_are_applied_and_taken_back():
    parameter = nn.Parameter(torch.zeros(2))
    averaging = Averaging([parameter], half_life=10.0)
    parameter.data.fill_(4.0)
    averaging.update(10, seen=10**6)
    with averaging.applied():
        assert parameter.tolist() == pytest.approx([2.0, 2.0])
    assert parameter.tolist() == [4.0, 4.0]
    averaging.settle()
    assert parameter.tolist() == pytest.approx([2.0, 2.0])


def test_unused_and_frozen_parameters_are_left_out_of_the_gradient():
    model = build(Mean, PLANE)
    model.unused = nn.Parameter(torch.ones(2))
    model.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    player = Player(name="all", parameters=list(model.parameters()))
    phase = Phase(name="fit", player=player, loss=model.loss)
    work = StageWork(model, Stage(name="s", phases=[phase]), 10.0)
    batch = Batch(data=torch.ones(4, 2), labels=None, noise=Noise(0, count=4), step=0, progress=0.0)
    move = prepare_move(phase, work.parameters(phase), batch, float32(), Processes())
    assert [gradient.tolist() for gradient in move.gradients] == [[-2.0, -2.0], [0.0, 0.0]]
    assert move.norm == pytest.approx(math.sqrt(8))
    assert move.total == pytest.approx(2.0)


def float32():
    return Arithmetic(Precision(), torch.device("cpu")).autocast


def test_a_phase_with_nothing_to_say_makes_no_move():
    model = build(Mean, PLANE)
    player = Player(name="p", parameters=[model.point])
    phase = Phase(name="silent", player=player, loss=lambda batch: {})
    batch = Batch(data=torch.ones(4, 2), labels=None, noise=Noise(0, count=4), step=0, progress=0.0)
    assert prepare_move(phase, [model.point], batch, float32(), Processes()) is None


def test_two_players_of_one_name_are_refused():
    model = build(Mean, PLANE)
    phases = [
        Phase(name=name, player=Player(name="p", parameters=[model.point]), loss=model.loss) for name in ("a", "b")
    ]
    with pytest.raises(ValueError, match="two players"):
        StageWork(model, Stage(name="s", phases=phases), 10.0)


def test_timetable_is_robust_to_rounding_and_to_stages_that_end_late():
    phase = Phase(name="p", player=Player(name="p", parameters=[]), loss=lambda batch: {})
    stages = [Stage(name=str(number), share=share, phases=[phase]) for number, share in enumerate((0.1, 0.2, 0.7))]
    table = Timetable(Budget.parse("10steps"), stages)
    assert table.is_over(Position(stage=1, steps=3))
    assert not table.is_over(Position(stage=1, steps=2))
    late = Position(stage=2, stage_begin=0.4, steps=7)
    assert table.progress(late) == pytest.approx(0.5)
    assert table.progress(Position(stage=2, stage_begin=1.2, steps=12)) == 1.0


@pytest.mark.parametrize("shares", [(), (0.5, 0.4), (1.5, -0.5)])
def test_shares_that_do_not_add_up_are_refused(shares):
    with pytest.raises(ValueError, match="must add up to 1"):
        Timetable(Budget.parse("1steps"), [Stage(name="s", share=share) for share in shares])
