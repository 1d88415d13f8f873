"""One trainer runs every kind of model, and its accounts are right."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_models import PLANE, ClosedForm, Duel, Mean, Stairs, build, digit_examples, plan, plane_examples

from tvir.contracts.data import Examples, VectorSpec
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.flops import step_flops
from tvir.contracts.run import RunFolder
from tvir.models.hybrid.unbalanced_gan import UnbalancedGan
from tvir.training.checkpoint import load_weights
from tvir.training.memory import TOO_LITTLE
from tvir.training.observer import Observer
from tvir.training.order import DataOrder
from tvir.training.trainer import Trainer


class Watcher(Observer):
    def __init__(self):
        self.heard = []
        self.progress = []

    def started(self, record):
        self.heard.append("started")

    def stage_started(self, name, share):
        self.heard.append(name)

    def stepped(self, progress):
        self.progress.append(progress)

    def saved(self, path):
        self.heard.append(f"saved {path.name}")

    def noticed(self, text):
        self.heard.append(text)

    def finished(self, record):
        self.heard.append(record.status)


def test_least_squares_finds_the_mean_of_the_data(tmp_path):
    examples = plane_examples()
    model = build(Mean, PLANE)
    record = Trainer(model, examples, plan(tmp_path, budget="400steps")).run()
    assert record.status == "finished"
    assert record.spent.steps == 400
    assert record.spent.samples == 400 * 32
    assert record.spent.seconds > 0
    load_weights(RunFolder(tmp_path), model)
    np.testing.assert_allclose(model.point.detach().numpy(), examples.rows.mean(axis=0), atol=0.05)


def test_the_record_says_how_many_steps_each_stage_took_and_how_much_memory(tmp_path):
    record = Trainer(build(Stairs, PLANE), plane_examples(), plan(tmp_path, budget="20steps")).run()
    assert record.stage_steps == {"first": 6, "second": 14}
    assert record.peak_memory is None or record.peak_memory > 10 * 2**20


def test_a_model_without_steps_is_fitted_saved_and_shown(tmp_path):
    examples = plane_examples()
    record = Trainer(build(ClosedForm, PLANE), examples, plan(tmp_path)).run()
    assert (record.status, record.spent.steps) == ("finished", 0)
    fresh = build(ClosedForm, PLANE)
    assert load_weights(RunFolder(tmp_path), fresh) == 0
    np.testing.assert_allclose(fresh.mean.numpy(), examples.rows.mean(axis=0), rtol=1e-5)
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["00000000.png"]


def test_stages_share_the_budget_and_build_on_averaged_weights(tmp_path):
    model, watcher = build(Stairs, PLANE), Watcher()
    record = Trainer(model, plane_examples(), plan(tmp_path, budget="100steps"), observer=watcher).run()
    assert model.prepared == ["closed", "second"]
    assert watcher.heard[:2] == ["started", "first"]
    assert [entry for entry in watcher.heard if entry in ("first", "closed", "second")] == ["first", "closed", "second"]
    lines = list(RunFolder(tmp_path).metrics())
    assert max(line["step"] for line in lines if line["stage"] == "first") == 30
    assert lines[-1]["step"] == 100
    assert record.spent.steps == 100
    # What the second stage found is the average of the first one's path, and stays frozen in the second stage.
    assert torch.equal(model.start, model.first)
    follow = replay_average()
    torch.testing.assert_close(model.first.detach(), follow, rtol=1e-5, atol=1e-6)


def replay_average():
    """The first stage of Stairs in a bare loop with torch's own optimiser and a written-out average."""
    examples, order = plane_examples(), DataOrder(0, 300)
    point = torch.nn.Parameter(torch.zeros(2))
    optimiser = torch.optim.AdamW([point], lr=0.05, weight_decay=0.0)
    average = torch.zeros(2)
    for step in range(30):
        data = examples.spec.to_model(examples.take(order.indices(16 * step, 16)))
        optimiser.zero_grad()
        (data - point).square().mean().backward()
        optimiser.step()
        half_life = min(100.0, 0.05 * 16 * (step + 1))
        keep = 0.5 ** (16 / half_life)
        average = keep * average + (1 - keep) * point.detach()
    return average


def test_each_phase_moves_its_own_player_on_its_own_steps(tmp_path):
    watcher = Watcher()
    model = build(Duel, PLANE)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    moved = []
    play, penalise = model.play, model.penalise
    model.play = lambda batch: moved.append(("generator", batch.step)) or play(batch)
    model.penalise = lambda batch: moved.append(("penalty", batch.step)) or penalise(batch)
    Trainer(model, plane_examples(), plan(tmp_path, budget="12steps"), observer=watcher).run()
    assert [step for name, step in moved if name == "generator"] == [0, 5, 10]
    assert [step for name, step in moved if name == "penalty"] == [0, 4, 8]
    assert all(not torch.equal(before[name], value) for name, value in model.state_dict().items() if "weight" in name)
    assert set(watcher.progress[0].losses) == {"critic/game", "penalty/penalty", "generator/fool"}


def test_metrics_lines_say_what_the_contract_says(tmp_path):
    Trainer(build(Duel, PLANE), plane_examples(), plan(tmp_path, budget="64steps")).run()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines][:3] == [1, 2, 4]
    assert lines[-1]["step"] == 64
    assert lines[-1]["fraction"] == 1.0
    keys = ("stage", "step", "seconds", "samples", "fraction", "losses", "samples_per_second")
    assert tuple(lines[0]) == (*keys, "learning_rate", "gradient_norms")
    assert set(lines[0]["gradient_norms"]) == {"critic", "generator"}


def test_losses_are_reported_as_means_since_the_last_report(tmp_path):
    model, seen = build(Mean, PLANE), []
    loss = model.loss
    model.loss = lambda batch: seen.append(loss(batch)) or seen[-1]
    Trainer(model, plane_examples(), plan(tmp_path, budget="4steps")).run()
    line = list(RunFolder(tmp_path).metrics())[-1]
    expected = (seen[2]["square"].item() + seen[3]["square"].item()) / 2
    assert line["losses"]["fit/square"] == pytest.approx(expected, rel=1e-6)


def test_progress_runs_from_zero_to_the_end_of_the_stage(tmp_path):
    model, seen = build(Mean, PLANE), []
    loss = model.loss
    model.loss = lambda batch: seen.append((batch.step, batch.progress)) or loss(batch)
    Trainer(model, plane_examples(), plan(tmp_path, budget="10steps")).run()
    assert seen == [(step, pytest.approx(step / 10)) for step in range(10)]


def test_a_budget_in_seconds_and_one_in_samples_end_in_time(tmp_path):
    record = Trainer(build(Mean, PLANE), plane_examples(), plan(tmp_path / "a", budget="0.2s")).run()
    assert record.spent.seconds >= 0.2
    assert record.spent.steps > 1
    record = Trainer(build(Mean, PLANE), plane_examples(), plan(tmp_path / "b", budget="100samples")).run()
    assert record.spent.samples == 128


def test_pictures_form_a_film_strip_that_sorts(tmp_path):
    Trainer(build(Mean, PLANE), plane_examples(), plan(tmp_path, budget="100steps")).run()
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert [int(name[:8]) for name in names] == [0, 1, 2, 4, 8, 16, 32, 64, 100]


def test_the_callers_random_numbers_are_left_alone(tmp_path):
    model = build(Duel, PLANE)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Trainer(model, plane_examples(), plan(tmp_path, budget="3steps")).run()
    assert torch.equal(torch.rand(3), expected)


def test_two_runs_of_a_seed_are_the_same_and_two_seeds_differ(tmp_path):
    points = []
    for number, seed in enumerate((0, 0, 1)):
        model = build(Duel, PLANE)
        Trainer(model, plane_examples(), plan(tmp_path / str(number), budget="8steps", seed=seed)).run()
        points.append(torch.cat([value.flatten() for value in model.state_dict().values()]))
    assert torch.equal(points[0], points[1])
    assert not torch.equal(points[0], points[2])


def test_a_batch_larger_than_the_data_goes_round(tmp_path):
    record = Trainer(build(Mean, PLANE), plane_examples(count=5), plan(tmp_path, budget="7steps")).run()
    assert record.status == "finished"


def test_data_with_nan_is_refused_before_anything_is_written(tmp_path):
    rows = np.zeros((20, 2), dtype=np.float32)
    rows[7, 1] = np.nan
    folder = plan(tmp_path)
    with pytest.raises(UsageError, match="row 7 of the training data"):
        Trainer(build(Mean, PLANE), Examples(PLANE, rows), folder).run()
    with pytest.raises(UsageError, match="empty"):
        Trainer(build(Mean, PLANE), Examples(PLANE, rows[:0]), folder).run()
    assert folder.read().status == "planned"
    assert not folder.checkpoints.exists()


def test_an_error_in_a_model_leaves_a_failed_run_that_says_why(tmp_path):
    model, folder, watcher = build(Mean, PLANE), plan(tmp_path), Watcher()

    def broken(batch):
        raise RuntimeError("shapes do not match\nand more")

    model.loss = broken
    with pytest.raises(RuntimeError):
        Trainer(model, plane_examples(), folder, observer=watcher).run()
    assert folder.read().status == "failed"
    assert folder.read().failure == "shapes do not match"
    assert watcher.heard[-1] == "failed"


def test_parameters_that_are_not_the_models_are_refused(tmp_path):
    model = build(Mean, PLANE)
    stray = torch.nn.Parameter(torch.zeros(2))
    stage = model.stages()[0]
    phase = replace(stage.phases[0], player=replace(stage.phases[0].player, parameters=[stray]))
    model.stages = lambda: [replace(stage, phases=[phase])]
    with pytest.raises(ValueError, match="would not be saved"):
        Trainer(model, plane_examples(), plan(tmp_path)).run()


def test_a_finished_run_is_left_as_it_is(tmp_path):
    folder = plan(tmp_path, budget="5steps")
    Trainer(build(Mean, PLANE), plane_examples(), folder).run()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "run.json"}
    record = Trainer(build(Mean, PLANE), plane_examples(), folder).run()
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "run.json"}
    assert record.status == "finished"
    assert before == after


def test_images_and_labels_reach_the_model_in_its_own_form(tmp_path):
    examples, seen = digit_examples(), []
    model = build(Mean, examples.spec)
    loss = model.loss
    model.loss = lambda batch: seen.append((batch.data, batch.labels)) or loss(batch)
    Trainer(model, examples, plan(tmp_path, spec=examples.spec, budget="2steps")).run()
    data, labels = seen[0]
    assert data.shape == (32, 1, 8, 8)
    assert float(data.min()) >= -1
    assert float(data.max()) <= 1
    assert labels.shape == (32,)


def test_one_dimension_is_enough(tmp_path):
    line = VectorSpec(features=1)
    rows = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
    record = Trainer(build(Mean, line), Examples(line, rows), plan(tmp_path, spec=line, budget="5steps")).run()
    assert record.status == "finished"


def test_a_budget_of_operations_gives_every_stage_its_share_of_them(tmp_path):
    examples = digit_examples()
    model = UnbalancedGan(examples.spec, replace(UnbalancedGan.smallest(), pretraining_share=0.5))
    costs = [step_flops(model, stage, examples.spec.to_model(examples.rows[:4]), None) for stage in range(2)]
    limit = 2 * costs[0] * 12
    record = Trainer(model, examples, plan(tmp_path, budget=f"{limit:.0f}flops")).run()
    assert record.stage_steps == {"autoencoding": 12, "adversarial": math.ceil(limit / 2 / costs[1])}
    assert record.spent.flops == pytest.approx(12 * costs[0] + record.stage_steps["adversarial"] * costs[1])


def test_a_budget_of_operations_is_refused_where_none_are_counted(tmp_path):
    with pytest.raises(UsageError, match="no operations that are counted; give the budget in seconds or steps"):
        Trainer(build(Mean, PLANE), plane_examples(), plan(tmp_path, budget="1Gflops")).run()


def test_a_stage_that_the_budget_never_reached_is_said(tmp_path):
    record = Trainer(build(Stairs, PLANE), plane_examples(), plan(tmp_path, budget="1step")).run()
    assert record.status == "finished"
    assert record.findings == ("the budget was spent before the stage second took a step; give more",)
    whole = Trainer(build(Stairs, PLANE), plane_examples(), plan(tmp_path / "whole", budget="20steps")).run()
    assert whole.findings == ()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_want_of_memory_is_said_in_one_line_that_mends_it(tmp_path, error):
    class Greedy(Mean):
        def loss(self, batch):
            raise error

    with pytest.raises(TvirError, match="choose a smaller --batch-size or --width"):
        Trainer(build(Greedy, PLANE), plane_examples(), plan(tmp_path)).run()
    assert RunFolder(tmp_path).read().failure == TOO_LITTLE
