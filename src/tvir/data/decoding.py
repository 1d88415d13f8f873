"""Decoding a source once, in parallel, into files of rows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from tvir.contracts.data import Array, DataSpec
from tvir.contracts.errors import TvirError
from tvir.data.blocks import Block, Decoded, Form, ImageBlock, Skipped
from tvir.data.cache import RowWriter
from tvir.data.images import Measured
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import SPLITS

Result = TypeVar("Result")

_WORTH_STARTING = 4 * 2**20
"""Encoded bytes above which worker processes gain more than starting them costs."""

_AHEAD = 3
"""Blocks per worker that are read or decoded but not yet written: enough to keep all busy, few enough to fit."""


@dataclass
class Report:
    """What came of decoding a source."""

    skipped: list[Skipped] = field(default_factory=list)
    notes: Counter[StrEnum] = field(default_factory=Counter)
    counts: dict[str, int] = field(default_factory=dict)


def measure_source(source: Source, contents: Contents, progress: Progress) -> list[Measured]:
    """What the headers of all images say."""
    measured: list[Measured] = []
    done = 0
    with _runner(contents) as run:
        for block, found in run(source.blocks(), _measure):
            measured.extend(found)
            done += len(block)
            progress("measuring", done, contents.count)
    return measured


def decode_source(
    blocks: Iterator[Block],
    contents: Contents,
    assignment: Array,
    spec: DataSpec,
    form: Form | None,
    folder: Path,
    progress: Progress,
) -> Report:
    """Decode everything into ``SPLIT.npy`` and ``SPLIT.labels.npy`` in a folder.

    Args:
        blocks: The examples.
        contents: What the source said it holds.
        assignment: Position in ``SPLITS`` for every example.
        spec: What an example becomes.
        form: What they are brought to; None for vectors.
        folder: Where to write.
        progress: Told after every block.
    """
    report = Report()
    writers = [RowWriter(folder / f"{name}.npy", spec.row_shape, spec.row_dtype) for name in SPLITS]
    usable = np.zeros(contents.count, bool)
    done = 0
    try:
        with _runner(contents) as run:
            for block, decoded in run(blocks, partial(_decode, form=form)):
                usable[done : done + len(block)] = decoded.usable
                _write(decoded, assignment[done : done + len(block)], writers)
                report.skipped.extend(decoded.skipped)
                report.notes.update(decoded.notes)
                done += len(block)
                progress("decoding", done, contents.count)
        for writer in writers:
            writer.close()
    finally:
        for writer in writers:
            writer.abandon()
    report.counts = {name: writer.count for name, writer in zip(SPLITS, writers, strict=True) if writer.count}
    _write_labels(contents, assignment, usable, folder)
    return report


def _write(decoded: Decoded, assignment: Array, writers: list[RowWriter]) -> None:
    kept = assignment[decoded.usable]
    for position, writer in enumerate(writers):
        chosen = kept == position
        writer.write(decoded.rows if chosen.all() else decoded.rows[chosen])


def _write_labels(contents: Contents, assignment: Array, usable: Array, folder: Path) -> None:
    if contents.labels is None:
        return
    for position, name in enumerate(SPLITS):
        writer = RowWriter(folder / f"{name}.labels.npy", (), np.dtype(np.int64))
        writer.write(contents.labels[usable & (assignment == position)])
        writer.close()


def _measure(block: Block) -> tuple[Measured, ...]:
    assert isinstance(block, ImageBlock)
    return block.measure()


def _decode(block: Block, form: Form | None) -> Decoded:
    return block.decode(form)


class _Runner:
    """Does a job for every block, in worker processes or here, and gives the results in order."""

    def __init__(self, executor: Executor | None, ahead: int) -> None:
        self._executor = executor
        self._ahead = ahead

    def __call__(self, blocks: Iterator[Block], job: Callable[[Block], Result]) -> Iterator[tuple[Block, Result]]:
        if self._executor is None:
            for block in blocks:
                yield block, job(block)
            return
        waiting: deque[tuple[Block, Future[Result]]] = deque()
        for block in blocks:
            waiting.append((block, self._executor.submit(job, block)))
            if len(waiting) > self._ahead:
                yield _finished(*waiting.popleft())
        while waiting:
            yield _finished(*waiting.popleft())


def _finished(block: Block, future: Future[Result]) -> tuple[Block, Result]:
    try:
        return block, future.result()
    except BrokenProcessPool:
        raise TvirError(
            "a decoding process died: an image may have crashed its decoder, or memory ran out; "
            "look at the system's log, and take the newest images away to find the one"
        ) from None


@contextmanager
def _runner(contents: Contents) -> Iterator[_Runner]:
    workers = _processors()
    # Warnings of decoders concern files that are named in the findings anyway. Worker processes inherit the filter.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = workers == 1 or contents.encoded_bytes < _WORTH_STARTING or multiprocessing.current_process().daemon
        if alone:
            yield _Runner(None, 0)
            return
        with _executor(workers) as executor:
            try:
                yield _Runner(executor, _AHEAD * workers)
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise


def _executor(workers: int) -> Executor:
    if sys.platform == "linux":
        # Forked workers start at once and need no `if __name__ == "__main__"` in a person's script. They run
        # Pillow and NumPy only, so locks that other libraries held at the fork do not matter to them.
        context = multiprocessing.get_context("fork")
        return ProcessPoolExecutor(workers, mp_context=context, initializer=_settle_in, initargs=(os.getpid(),))
    return ThreadPoolExecutor(workers)  # Pillow decodes outside the interpreter lock


def _settle_in(parent: int) -> None:
    """Prepare a worker process: Ctrl-C is its parent's business, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A progress bar of the parent may have held a lock of these streams at the moment of the fork.
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
