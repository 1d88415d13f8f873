"""One thread per model does all its inference: moving pictures first, newest value wins, and a full queue says so."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from tvir.contracts.data import Array
from tvir.studio.making import Maker, Point
from tvir.studio.refusal import RefusalError, busy

Result = TypeVar("Result")

_PATIENCE = 120.0
"""Seconds that somebody waits for a task."""


class Worker:
    """The inference thread of a model.

    Frames of people who drag are decoded together, as many as wait; whoever sends another value before its turn has
    come loses only the older one. Other tasks wait in a queue of bounded length, and long ones are walks whose steps
    take turns with the frames.

    Args:
        maker: Makes examples of points.
        limit: People whose frames wait, and tasks that wait, at most.
    """

    def __init__(self, maker: Maker, limit: int = 64) -> None:
        self._maker = maker
        self._limit = limit
        self._frames: dict[str, tuple[Point, Future[Array | None]]] = {}
        self._tasks: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="studio-worker", daemon=True)
        self._thread.start()

    def show(self, client: str, point: Point) -> Future[Array | None]:
        """The row (*row_shape) of a point, or None where a newer point of the same client came first.

        Raises:
            RefusalError: Too many others wait.
        """
        future: Future[Array | None] = Future()
        with self._changed:
            older = self._frames.pop(client, None)
            if older is None and len(self._frames) >= self._limit:
                raise busy()
            self._frames[client] = (point, future)
            self._changed.notify()
        if older is not None and older[1].set_running_or_notify_cancel():
            older[1].set_result(None)
        return future

    def do(self, task: Callable[[], Result]) -> Result:
        """Wait for a task to be done in the thread.

        Raises:
            RefusalError: Too many tasks wait.
        """
        future: Future[Result] = Future()
        self._queue(lambda: _fulfil(future, task))
        try:
            return future.result(timeout=_PATIENCE)
        except TimeoutError:
            raise busy() from None

    def walk(self, steps: Iterator[Result]) -> Walk[Result]:
        """Take the steps of an iterator in the thread, between other work.

        Raises:
            RefusalError: Too many tasks wait.
        """
        walk: Walk[Result] = Walk()

        def step() -> None:
            if walk.advance(steps):
                with self._changed:
                    self._tasks.append(step)

        self._queue(step)
        return walk

    def close(self) -> None:
        """Let the thread end."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _queue(self, task: Callable[[], object]) -> None:
        with self._changed:
            if len(self._tasks) >= self._limit:
                raise busy()
            self._tasks.append(task)
            self._changed.notify()

    def _work(self) -> None:
        self._maker.settle()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._frames or self._tasks)
                if self._closed:
                    return
                frames, self._frames = list(self._frames.values()), {}
                task = self._tasks.popleft() if self._tasks else None
            # Whoever left meanwhile has cancelled; once a frame counts as running it cannot be cancelled any more.
            if awaited := [frame for frame in frames if frame[1].set_running_or_notify_cancel()]:
                self._show(awaited)
            if task is not None:
                task()

    def _show(self, frames: list[tuple[Point, Future[Array | None]]]) -> None:
        try:
            rows = self._maker.rows([point for point, _ in frames])
        except Exception as error:
            for _, future in frames:
                future.set_exception(error)
            return
        for row, (_, future) in zip(rows, frames, strict=True):
            future.set_result(row)


class Walk(Generic[Result]):
    """Steps that are taken one by one: the newest result, and whether it is over."""

    def __init__(self) -> None:
        self.newest: Result | None = None
        self.finished = threading.Event()
        self.failure: Exception | None = None
        self._stopped = False

    def stop(self) -> None:
        """Take no further step."""
        self._stopped = True

    def advance(self, steps: Iterator[Result]) -> bool:
        """Take one step; whether there may be another."""
        try:
            if not self._stopped:
                self.newest = next(steps)
                return True
        except StopIteration:
            pass
        except Exception as error:
            self.failure = error if isinstance(error, RefusalError) else RefusalError("failed", str(error), 500)
        self.finished.set()
        return False


def _fulfil(future: Future[Result], task: Callable[[], Result]) -> None:
    try:
        future.set_result(task())
    except Exception as error:
        future.set_exception(error)
