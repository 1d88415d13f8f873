"""From the first step to the last: stages, steps, reports, pictures, checkpoints, and going back after a divergence."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.budget import Budget, Flops
from tvir.contracts.data import Examples
from tvir.contracts.errors import UsageError
from tvir.contracts.flops import step_flops
from tvir.contracts.model import Batch, GenerativeModel, Phase, Stage
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import RunFolder, RunRecord
from tvir.training import checkpoint, divergence
from tvir.training.clock import Stopwatch
from tvir.training.divergence import DivergedError, FailedError, Sighting
from tvir.training.feed import Feed
from tvir.training.logs import Reporter, keep_lines
from tvir.training.memory import peak_memory
from tvir.training.moves import prepare_move
from tvir.training.observer import Observer
from tvir.training.position import Position, Timetable
from tvir.training.precision import Arithmetic
from tvir.training.previews import save_preview, window
from tvir.training.processes import Processes
from tvir.training.signals import Interrupted, Signals
from tvir.training.work import StageWork

_COUNTED = 4
"""Examples of the steps whose operations are counted."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Who a loop works with.

    Args:
        processes: Those that train together.
        signals: What has been asked of this process.
        observer: Who is told; says nothing on other processes than the main one.
        checkpoint_seconds: Seconds between two checkpoints.
        preview_count: Images in a sample grid.
    """

    processes: Processes
    signals: Signals
    observer: Observer
    checkpoint_seconds: float
    preview_count: int


class Loop:
    """One training, from wherever it stands to the end of its budget.

    Args:
        model: With the weights that a fresh run starts from.
        examples: The training split.
        folder: Of the run.
        record: Its record, with the precision decided.
        around: Who it works with.
    """

    def __init__(
        self, model: GenerativeModel, examples: Examples, folder: RunFolder, record: RunRecord, around: Surroundings
    ) -> None:
        assert record.precision is not None
        self._model = model
        self._examples = examples
        self._folder = folder
        self._around = around
        self._processes = around.processes
        self._seed = record.seed
        self._scale = record.learning_rate_scale
        self._arithmetic = Arithmetic(record.precision, around.processes.device)
        self._arithmetic.place_model(model)
        model.train()
        self._batch_size = model.config.batch_size
        self._feed = Feed(examples, record.seed, self._batch_size, self._arithmetic, around.processes)
        self._stages = model.stages()
        self._table = Timetable(Budget.parse(record.budget), self._stages)
        self._position = Position()
        self._costs: dict[int, float] = {}
        self._work = self._fresh_work()
        self._saved: Position | None = None
        self._saved_at = time.perf_counter()
        self._reporter = Reporter(folder, around.observer, writes=around.processes.main)
        self._watch = Stopwatch()
        self._window = window(examples)

    @property
    def position(self) -> Position:
        """Where the training stands."""
        return self._position

    def run(self) -> None:
        """Train until the budget is spent.

        Raises:
            Interrupted: A signal asked for it; everything is saved.
            FailedError: The training diverged twice.
            NotSavedError: The last checkpoint could not be written.
        """
        start = self._begin
        while True:
            try:
                start()
                self._learn()
                return
            except DivergedError as error:
                start = partial(self._recover, error.sighting)

    def _begin(self) -> None:
        self._processes.broadcast(list(self._state().values()))
        step = self._newest_step()
        if step is None:
            if self._processes.main:
                keep_lines(self._folder, -1)
            self._watch.reset()
            self._enter(0)
        else:
            self._restore(step)

    def _learn(self) -> None:
        while True:
            if not self._table.is_over(self._position):
                self._step()
            elif self._position.stage + 1 < len(self._stages):
                self._note_if_empty()
                self._work.averaging.settle()
                self._enter(self._position.stage + 1)
            else:
                break
        self._note_if_empty()
        self._preview(final=True)
        self._save()

    def _enter(self, number: int) -> None:
        """Begin a stage: prepare it, then start with fresh optimisers from the weights as they are."""
        stage = self._stages[number]
        self._position.enter(number, self._table.fraction(self._position))
        if stage.prepare:
            self._seed_torch("prepare", stage.name)
            stage.prepare(self._examples)
            self._model.train()
            self._processes.broadcast(list(self._state().values()))
            self._count_time()
        self._work = self._fresh_work()
        self._around.observer.stage_started(stage.name, stage.share)
        if stage.phases:
            self._preview()
            self._save(may_fail=True)

    def _note_if_empty(self) -> None:
        """Say so where the budget was over before a stage took a step: the model is not what its name says."""
        if self._stage.phases and not self._position.stage_step and self._processes.main:
            text = f"the budget was spent before the stage {self._stage.name} took a step; give more"
            self._folder.update(findings=(*self._folder.read().findings, text))
            self._around.observer.noticed(text)

    def _step(self) -> None:
        position, stage = self._position, self._stage
        progress = self._table.progress(position)
        # Randomness outside of Batch.noise (dropout) follows from the step as well: there is no state to save.
        self._seed_torch("step", position.steps, self._processes.rank)
        given = self._feed.draw(position, stage.name, progress)
        for phase in stage.phases:
            if position.stage_step % phase.every == 0:
                self._move(phase, given.batch(phase))
        position.advance(self._batch_size, self._step_cost())
        self._work.averaging.update(self._batch_size, position.stage_samples)
        if self._processes.world > 1:
            self._processes.broadcast(list(self._model.buffers()))
        self._after_step()

    def _step_cost(self) -> float:
        """Operations of a step of this stage, where the budget counts them."""
        if not isinstance(self._table.budget, Flops):
            return 0.0
        stage = self._position.stage
        if stage not in self._costs:
            with self._watch.paused():
                self._costs[stage] = step_flops(self._model, stage, *self._feed.first(_COUNTED))
        if not self._costs[stage]:
            raise UsageError(
                f"a step of the stage {self._stage.name} has no operations that are counted; give the budget in "
                "seconds or steps"
            )
        return self._costs[stage]

    def _move(self, phase: Phase, batch: Batch) -> None:
        work, bad = self._work, self._position.bad_moves
        move = prepare_move(phase, work.parameters(phase), batch, self._arithmetic.autocast, self._processes)
        if move is None:
            return
        if not move.is_finite:
            self._skip(phase, divergence.describe(phase.name, move))
            return
        bad.pop(phase.name, None)
        rate = work.rate(phase, batch.step, batch.progress, self._scale)
        work.apply(phase, move, rate)
        self._reporter.add(phase, move, rate)

    def _skip(self, phase: Phase, what: str) -> None:
        """Leave the weights as they are; go back where that was not enough."""
        position = self._position
        position.bad_moves[phase.name] = position.bad_moves.get(phase.name, 0) + 1
        spoilt = not divergence.is_finite(self._model.buffers())
        if spoilt or position.bad_moves[phase.name] >= divergence.PATIENCE:
            raise DivergedError(Sighting(what=what, step=position.steps + 1, indices=self._feed.indices(position)))
        self._around.observer.noticed(f"{what} at step {position.steps + 1}; the move was skipped")

    def _after_step(self) -> None:
        position, around = self._position, self._around
        late = self._processes.main and time.perf_counter() - self._saved_at >= around.checkpoint_seconds
        signal, due = self._count_time(around.signals.received, late)
        last = signal or self._table.is_over(position)
        if last or self._reporter.is_due(position.spent):
            self._reporter.report(self._stage.name, position.spent, self._table.fraction(position))
        self._preview()
        if signal:
            self._save()
            raise Interrupted(
                int(signal), f"interrupted at step {position.steps}; continue with: tvir resume {self._folder.path}"
            )
        if due and not position.bad_moves:
            self._save(may_fail=True)

    def _preview(self, *, final: bool = False) -> None:
        position = self._position
        fraction = 1.0 if final else self._table.fraction(position)
        due = sum(share <= fraction for share in self._around.observer.picture_shares)
        if due <= position.previews:
            return
        position.previews = due
        if self._processes.main:
            with self._watch.paused(), self._work.averaging.applied():
                save_preview(self._folder, self._model, position.steps, self._around.preview_count, self._window)
                self._around.observer.pictured(self._model, fraction)

    def _save(self, *, may_fail: bool = False) -> None:
        """Write a checkpoint, unless this very position has one. Weights that are not finite are never written."""
        position = self._position
        if position == self._saved:
            return
        with self._watch.paused():
            state = self._state()
            averaged = self._work.averaging.average_of(state)
            if not divergence.is_finite([*state.values(), *averaged.values()]):
                nothing = np.empty(0, dtype=np.int64)
                raise DivergedError(Sighting(what="weights were not finite", step=position.steps, indices=nothing))
            if self._processes.main:
                optimisers = self._work.optimiser_tensors()
                content = checkpoint.Content(position=position, weights=state, averaged=averaged, optimisers=optimisers)
                self._write(content, may_fail)
            self._saved_at = time.perf_counter()

    def _write(self, content: checkpoint.Content, may_fail: bool) -> None:
        try:
            path = checkpoint.save_checkpoint(self._folder, content)
        except checkpoint.NotSavedError as error:
            if not may_fail:
                raise
            self._around.observer.noticed(str(error))
            return
        self._saved = replace(content.position, bad_moves=dict(content.position.bad_moves))
        self._folder.update(
            spent=content.position.spent, stage_steps=self._stage_steps(content.position), peak_memory=peak_memory()
        )
        self._around.observer.saved(path)

    def _stage_steps(self, position: Position) -> dict[str, int]:
        """Steps of every stage that has any. The stage before the present one ended after its last checkpoint."""
        known = self._folder.read().stage_steps
        before = [stage.name for stage in self._stages[: position.stage] if stage.phases]
        counted = {name: known.get(name, 0) for name in before[:-1]}
        if before:
            counted[before[-1]] = position.steps - position.stage_step - sum(counted.values())
        return counted | ({self._stages[position.stage].name: position.stage_step})

    def _newest_step(self) -> int | None:
        """The newest checkpoint that verifies; the main process looks for all."""
        found = checkpoint.newest_step(self._folder, self._around.observer.noticed) if self._processes.main else None
        step = int(self._processes.largest(-1 if found is None else found)[0])
        return None if step < 0 else step

    def _restore(self, step: int) -> None:
        """Take everything from a checkpoint."""
        position = checkpoint.read_position(self._folder, step)
        if position.stage >= len(self._stages) or position.steps != step:
            raise UsageError(f"the checkpoint {self._folder.checkpoints / str(step)} belongs to another model")
        self._position = position
        self._work = self._fresh_work()
        state = self._state()
        checkpoint.read_part(self._folder, step, checkpoint.WEIGHTS, state)
        checkpoint.read_part(self._folder, step, checkpoint.AVERAGED, self._work.averaging.average_of(state))
        checkpoint.read_part(self._folder, step, checkpoint.OPTIMISERS, self._work.optimiser_tensors())
        if self._processes.main:
            keep_lines(self._folder, step)
        self._saved = replace(position, bad_moves=dict(position.bad_moves))
        self._saved_at = time.perf_counter()
        self._reporter.restart(position.spent)
        self._watch.reset()
        self._around.observer.stage_started(self._stage.name, self._stage.share)

    def _recover(self, sighting: Sighting) -> None:
        """Go back to the last good checkpoint with smaller learning rates; only once."""
        step = self._newest_step()
        if step is None or self._scale < 1:
            self._fail(sighting)
            return
        self._count_time()
        seconds = self._position.seconds
        self._scale *= divergence.SMALLER
        text = (
            f"{sighting.what} at step {sighting.step}; the run went back to step {step} with its learning rates times "
            f"{divergence.SMALLER}"
        )
        if self._processes.main:
            findings = (*self._folder.read().findings, text)
            self._folder.update(learning_rate_scale=self._scale, findings=findings)
        self._around.observer.noticed(text)
        self._restore(step)
        # The time it took is spent; equal budgets would not be equal otherwise.
        self._position.seconds = max(seconds, self._position.seconds)
        self._position.bad_moves = {}

    def _fail(self, sighting: Sighting) -> None:
        kept = divergence.keep_batch(self._folder, self._examples, sighting) if self._processes.main else None
        tried = ", although its learning rates had been made smaller" if self._scale < 1 else ""
        raise FailedError(
            f"training failed: {sighting.what} at step {sighting.step}{tried}; try a smaller learning rate, a stronger "
            f"regulariser or --precision float32{f'; the batch is kept in {kept}' if kept else ''}"
        )

    @property
    def _stage(self) -> Stage:
        return self._stages[self._position.stage]

    def _fresh_work(self) -> StageWork:
        return StageWork(self._model, self._stage, self._model.config.ema_half_life)

    def _state(self) -> dict[str, Tensor]:
        return self._model.state_dict(keep_vars=True)

    def _seed_torch(self, *parts: str | int) -> None:
        seed = mix_seed(self._seed, "torch", *parts)
        # torch.manual_seed does the same for every kind of device, which takes 90 microseconds.
        torch.default_generator.manual_seed(seed)
        if self._arithmetic.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _count_time(self, *votes: float) -> list[float]:
        """Count the time since the last call by the main process's clock, and take the largest of all votes."""
        seconds = self._position.seconds + self._watch.lap()
        self._position.seconds, *agreed = self._processes.largest(seconds if self._processes.main else 0.0, *votes)
        return agreed
