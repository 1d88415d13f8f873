"""The arithmetic is chosen by a measurement that leaves no trace, and kept for the whole run."""

import pytest
import torch
from toy_models import PLANE, ClosedForm, Duel, Mean, build, digit_examples, plan, plane_examples

from tvir.contracts.data import ImageSpec
from tvir.contracts.run import Precision
from tvir.training import precision as module
from tvir.training.averaging import Averaging
from tvir.training.precision import Arithmetic, decide_precision
from tvir.training.processes import Processes
from tvir.training.trainer import Trainer

CPU = torch.device("cpu")


def test_vectors_are_float32_without_a_measurement():
    model, examples = build(Mean, PLANE), plane_examples()
    model.loss = lambda batch: pytest.fail("measured")
    decision = decide_precision(model, examples, Processes())
    assert (decision.autocast, decision.memory_format) == ("none", "contiguous")


def test_a_model_without_steps_is_not_measured():
    assert decide_precision(build(ClosedForm, PLANE), digit_examples(), Processes()).autocast == "none"


@pytest.mark.parametrize(("capability", "tried"), [("AVX2", False), ("AVX512", True)])
def test_bfloat16_is_only_tried_where_the_processor_has_it(monkeypatch, capability, tried):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert any(precision.autocast == "bfloat16" for precision in module.candidates(CPU)) is tried
    assert module.candidates(CPU)[0] == Precision()


def test_measuring_changes_nothing(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", 0.1)
    examples = digit_examples()
    model = build(Mean, examples.spec)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    decision = decide_precision(model, examples, Processes())
    assert "float32 contiguous" in decision.decided_by
    assert all(module._name(precision) in decision.decided_by for precision in module.candidates(CPU))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.point.stride() == before["point"].stride()


@pytest.mark.parametrize(
    ("gain", "side", "chosen"),
    [(1.05, 8, "none"), (1.2, 8, "bfloat16"), (1.05, 64, "bfloat16"), (1.01, 64, "none")],
)
def test_only_a_clear_gain_counts(gain, side, chosen):
    spec = ImageSpec(channels=1, height=side, width=side)
    fast = Precision(autocast="bfloat16", memory_format="channels_last")
    assert module._fastest({Precision(): 1.0, fast: 1.0 / gain}, spec).autocast == chosen


@pytest.mark.parametrize("autocast", ["none", "bfloat16"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_every_arithmetic_trains_with_float32_weights(tmp_path, autocast, layout):
    examples = digit_examples()
    model = build(Duel, examples.spec)
    chosen = Precision(autocast=autocast, memory_format=layout, decided_by="request")
    folder = plan(tmp_path, spec=examples.spec, budget="10steps", precision=chosen)
    record = Trainer(model, examples, folder).run()
    assert record.precision == chosen
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_the_decision_is_recorded_and_kept(tmp_path, monkeypatch):
    folder = plan(tmp_path, budget="5steps", precision=None)
    record = Trainer(build(Mean, PLANE), plane_examples(), folder).run()
    assert record.precision is not None
    monkeypatch.setattr("tvir.training.trainer.decide_precision", lambda *_: pytest.fail("decided again"))
    assert Trainer(build(Mean, PLANE), plane_examples(), folder).run().precision == record.precision


def test_channels_last_reaches_weights_data_and_averages():
    model = build(Mean, ImageSpec(channels=3, height=4, width=4))
    model.kernel = torch.nn.Parameter(torch.randn(8, 3, 3, 3))
    arithmetic = Arithmetic(Precision(memory_format="channels_last"), CPU)
    arithmetic.place_model(model)
    assert model.kernel.is_contiguous(memory_format=torch.channels_last)
    assert arithmetic.place_data(torch.zeros(2, 3, 4, 4)).is_contiguous(memory_format=torch.channels_last)
    assert Averaging([model.kernel], 10.0).averages[0].stride() == model.kernel.stride()
    assert arithmetic.place_data(torch.zeros(2, 5)).shape == (2, 5)
