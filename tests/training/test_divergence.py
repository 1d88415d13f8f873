"""A number that is not finite never reaches the weights, and never ends in a finished run."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from toy_models import PLANE, ClosedForm, Mean, build, plan, plane_examples

from tvir.contracts.data import Examples
from tvir.contracts.errors import UsageError
from tvir.training.divergence import FailedError, Sighting, is_finite, keep_batch, refuse_bad_rows
from tvir.training.observer import Observer
from tvir.training.order import DataOrder
from tvir.training.trainer import Trainer


class Notes(Observer):
    def __init__(self):
        self.texts = []

    def noticed(self, text):
        self.texts.append(text)


def test_one_bad_step_is_skipped_and_training_goes_on(tmp_path):
    notes = Notes()
    model = build(Mean, PLANE, bad_from=4, bad_until=5)
    before_and_after = []
    loss = model.loss
    model.loss = lambda batch: before_and_after.append(model.point.detach().clone()) or loss(batch)
    record = Trainer(model, plane_examples(), plan(tmp_path, budget="20steps"), observer=notes).run()
    assert record.status == "finished"
    assert record.learning_rate_scale == 1.0
    assert notes.texts == ["the loss of phase 'fit' was not finite (bad = nan) at step 5; the move was skipped"]
    assert torch.equal(before_and_after[4], before_and_after[5])
    assert not torch.equal(before_and_after[5], before_and_after[6])


class Once(Mean):
    """Bad until it has gone back once, as when a smaller learning rate helps."""

    @dataclass(frozen=True, kw_only=True)
    class Config(Mean.Config):
        healed_by_going_back: bool = True

    def __init__(self, spec, config):
        super().__init__(spec, config)
        self.seen_bad = 0

    def loss(self, batch):
        losses = super().loss(batch)
        if batch.step >= 10 and self.seen_bad < 3:
            self.seen_bad += 1
            losses["bad"] = self.point.sum() * float("inf")
        return losses


def test_three_bad_steps_go_back_to_the_checkpoint_with_a_smaller_learning_rate(tmp_path):
    model, notes, folder = build(Once, PLANE), Notes(), plan(tmp_path, budget="30steps")
    record = Trainer(model, plane_examples(), folder, observer=notes).run()
    assert record.status == "finished"
    assert record.learning_rate_scale == pytest.approx(0.3)
    assert any("went back to step 0" in finding for finding in record.findings)
    assert record.spent.steps == 30
    rates = {line["step"]: line["learning_rate"]["point"] for line in folder.metrics()}
    assert rates[4] == pytest.approx(0.3 * 0.05 * (0.1 + 0.9 * (0.5 + 0.5 * np.cos(np.pi * 3 / 30))))
    assert sorted(rates) == [1, 2, 4, 8, 16, 30]


def test_diverging_twice_fails_with_what_was_seen_and_keeps_the_batch(tmp_path):
    examples, folder = plane_examples(), plan(tmp_path, budget="100steps")
    with pytest.raises(FailedError, match=r"the loss of phase 'fit' was not finite \(bad = nan\) at step 10.*try a"):
        Trainer(build(Mean, PLANE, bad_from=7, bad_until=10**6), examples, folder).run()
    record = folder.read()
    assert record.status == "failed"
    assert "learning rate" in record.failure
    with np.load(tmp_path / "failure" / "batch.npz", allow_pickle=False) as batch:
        expected = DataOrder(0, 300).indices(9 * 32, 32)
        assert batch["indices"].tolist() == expected.tolist()
        assert (batch["rows"] == examples.rows[expected]).all()


def test_a_failed_run_keeps_its_last_good_weights(tmp_path):
    folder = plan(tmp_path, budget="100steps")
    model = build(Mean, PLANE, bad_from=7, bad_until=10**6)
    with pytest.raises(FailedError):
        Trainer(model, plane_examples(), folder).run()
    assert is_finite(model.state_dict().values())
    assert [path.name for path in folder.checkpoints.iterdir()] == ["0"]


def test_an_infinite_gradient_of_a_finite_loss_is_seen(tmp_path):
    model, notes = build(Mean, PLANE), Notes()

    def loss(batch):
        return {"root": (model.point * 0 + (0.0 if batch.step == 2 else 1.0)).sqrt().sum() + model.point.sum()}

    model.loss = loss
    record = Trainer(model, plane_examples(), plan(tmp_path, budget="5steps"), observer=notes).run()
    assert record.status == "finished"
    assert len(notes.texts) == 1
    assert "the gradient of phase 'fit' was not finite" in notes.texts[0]


def test_weights_that_are_not_finite_never_finish(tmp_path):
    model, folder = build(Mean, PLANE), plan(tmp_path, budget="30steps")
    loss = model.loss

    def spoiling(batch):
        if batch.step < 29:
            return loss(batch)
        model.point.data.fill_(float("nan"))
        return {"nothing": torch.zeros((), requires_grad=True) * 1}

    model.loss = spoiling
    with pytest.raises(FailedError, match="weights were not finite at step 30"):
        Trainer(model, plane_examples(), folder).run()
    assert folder.read().status == "failed"


def test_a_closed_form_that_gives_nan_fails(tmp_path):
    model, folder = build(ClosedForm, PLANE), plan(tmp_path)
    model.fit = lambda examples: model.mean.fill_(float("nan"))
    with pytest.raises(FailedError, match="weights were not finite"):
        Trainer(model, plane_examples(), folder).run()
    assert folder.read().status == "failed"


def test_a_skipped_step_that_spoils_a_buffer_goes_back_at_once(tmp_path):
    model, folder = build(Mean, PLANE, bad_from=4, bad_until=5), plan(tmp_path, budget="10steps")
    model.register_buffer("running", torch.zeros(2))
    loss, spoilt = model.loss, []

    def spoiling(batch):
        if batch.step == 4 and not spoilt:
            spoilt.append(True)
            model.running.fill_(float("nan"))
        elif batch.step == 4:
            return {"square": (batch.data - model.point).square().mean()}
        return loss(batch)

    model.loss = spoiling
    record = Trainer(model, plane_examples(), folder).run()
    assert record.status == "finished"
    assert record.learning_rate_scale < 1
    assert torch.isfinite(model.running).all()


def test_large_finite_numbers_are_finite():
    assert is_finite([torch.full((4,), 3e38), torch.zeros(0), torch.tensor(3)])
    assert not is_finite([torch.tensor([1.0, float("inf")])])
    assert not is_finite([torch.tensor([1.0, float("nan")])])


def test_whole_numbers_need_no_look_and_no_batch_is_kept_without_one(tmp_path):
    sighting = Sighting(what="weights", step=1, indices=np.empty(0, dtype=np.int64))
    assert keep_batch(plan(tmp_path), plane_examples(), sighting) is None
    with pytest.raises(UsageError, match="row 2 "):
        refuse_bad_rows(Examples(PLANE, np.array([[0, 0], [1, 1], [np.inf, 0]], dtype=np.float32)), rows_at_once=2)
