"""Training a new run, and continuing one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tvir.contracts.budget import Budget
from tvir.contracts.data import Dataset
from tvir.contracts.model import ModelConfig
from tvir.contracts.run import RunFolder
from tvir.training.observer import Observer
from tvir.training.processes import Processes
from tvir.training.trainer import Trainer
from tvir.workflows.building import build_model, find_method
from tvir.workflows.locking import alone
from tvir.workflows.planning import PrecisionChoice, plan_run
from tvir.workflows.requesting import DataRequest, Fit, Reading, Tokens, record_data
from tvir.workflows.run import Run, load
from tvir.workflows.starting import Start, begin_from_start
from tvir.workflows.watching import HealthWatch

_TORCHRUN = {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}
"""What torchrun sets, and what it is without it."""


def train(
    model: str,
    data: str,
    *,
    budget: str = "2m",
    seed: int = 0,
    out: Path | str | None = None,
    config: Mapping[str, Any] | ModelConfig | None = None,
    precision: PrecisionChoice = "auto",
    size: int | tuple[int, int] | str | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    strict: bool = False,
    tokens: Tokens | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
    windows: bool = False,
    column: str | None = None,
    start_from: Path | str | None = None,
    observer: Observer | None = None,
    progress: Reading | None = None,
) -> Run:
    """Train a new run until its budget is spent.

    Started by ``torchrun``, all processes train the one run together.

    Args:
        model: Name of a model or a recipe, as ``tvir models`` lists them.
        data: A built-in name, a path, or ``hf:OWNER/NAME``.
        budget: Seconds, minutes or hours of training (``90s``, ``2m``), ``5000steps``, ``1Msamples``,
            ``50Tflops``.
        seed: Of the first weights, the order of the data and the noise.
        out: Folder of the run, new or empty; ``runs/MODEL-DATA-seedN`` by default.
        config: The model's settings; those left out keep their defaults.
        precision: Arithmetic of the networks; ``auto`` measures which is faster here.
        size: Side of the images in pixels, (height, width) or "HxW"; by default that of the data.
        channels: 1, 3 or 4; by default what the data has.
        fit: How images of another aspect ratio are met: ``crop`` the centre or ``pad``.
        strict: A file that cannot be read is an error instead of a finding.
        tokens: What text is cut into: ``characters`` (the default), ``bytes``, or pieces that are learned from the
            training split: ``bpe`` or ``unigram``.
        vocabulary: Most pieces; by default every character, or 2,048 learned pieces.
        length: Tokens of an example; by default that of the longest text, at most 256, and 128 for windows.
        windows: Take all lines as one running text and cut it into windows of that length.
        column: The column of text in a table; by default the one whose name says so, or the only one.
        start_from: A run of the same model whose averaged weights this one begins from, on data of the same shape; its
            settings are kept where no others are given.
        observer: Told what happens during training.
        progress: Told while data is read.

    Returns:
        The run.

    Raises:
        UsageError: Something asked for does not exist or cannot be read. Nothing has been written then.
        TvirError: Training failed or was interrupted; the run can be resumed.

    Example:
        >>> import tvir
        >>> run = tvir.train("vae", data="digits", budget="10s")  # doctest: +SKIP
        >>> rows = run.sample(16, seed=1)  # doctest: +SKIP
    """
    Budget.parse(budget)
    # Wrong settings are said before any data is read, and by every process alike.
    start = None if start_from is None else Start.of(start_from)
    if start is not None:
        start.refuse_other_model(find_method(model).model)
        config = config if isinstance(config, ModelConfig) else {**start.record.config, **(config or {})}
    _unjoined().share(find_method(model, config).config.batch_size)
    asked = DataRequest(
        reference=data,
        size=size,
        channels=channels,
        fit=fit,
        strict=strict,
        tokens=tokens,
        vocabulary=vocabulary,
        length=length,
        windows=windows,
        column=column,
    )

    request = asked if start is None else start.request(asked)

    def plan() -> tuple[RunFolder, Dataset]:
        dataset = request.open(progress)
        folder = plan_run(
            model, dataset, budget=budget, seed=seed, out=out, config=config, precision=precision, start=start
        )
        return folder, dataset

    return _run(plan, observer or Observer())


def resume(
    path: Path | str,
    *,
    allow_changed_data: bool = False,
    observer: Observer | None = None,
    progress: Reading | None = None,
) -> Run:
    """Continue a run from its newest checkpoint until its budget is spent; begin it if it was only planned.

    A finished run is returned as it is, and the observer is told so.

    Args:
        path: Folder of the run.
        allow_changed_data: Go on although the data is no longer what the run began with.
        observer: Told what happens during training.
        progress: Told while data is read.

    Raises:
        UsageError: It is no run, or its data is gone or has changed.
        TvirError: Training failed or was interrupted, or another process trains this run now.
    """
    run = load(path)

    def check() -> tuple[RunFolder, Dataset]:
        dataset = run.dataset(allow_changed=allow_changed_data, progress=progress)
        if dataset.fingerprint != run.record.data.fingerprint:
            noticed = f"the data changed before step {run.record.spent.steps}"
            findings = tuple(dict.fromkeys((*run.record.findings, noticed, *dataset.all_findings)))
            run.folder.update(data=record_data(dataset), findings=findings)
        return run.folder, dataset

    if (record := run.record).status == "finished":
        (observer or Observer()).noticed(f"there is nothing left to train: the budget of {record.budget} is spent")
        return run
    return _run(check, observer or Observer())


def _run(prepare: Callable[[], tuple[RunFolder, Dataset]], observer: Observer) -> Run:
    """Train in this process, or in all that torchrun has started; the main one prepares for all."""
    if not _unjoined().main:
        with Processes.joined() as processes:
            folder = RunFolder(Path(processes.hear()))
            return _trained(folder, Run(folder.path).dataset(), Observer())
    # Before the others are joined, so that they do not wait for one that finds something wrong.
    folder, dataset = prepare()
    with alone(folder), Processes.joined() as processes:
        processes.tell(str(folder.path))
        return _trained(folder, dataset, observer)


def _unjoined() -> Processes:
    """What torchrun says of this process, before it speaks to the others."""
    world, rank, local = (int(os.environ.get(name, usual)) for name, usual in _TORCHRUN.items())
    return Processes(rank, world, local)


def _trained(folder: RunFolder, dataset: Dataset, observer: Observer) -> Run:
    record = folder.read()
    model = build_model(record)
    begin_from_start(folder, record, model)
    watched = HealthWatch(observer, folder, dataset, model) if _unjoined().main else observer
    Trainer(model, dataset.train, folder, observer=watched).run()
    return Run(folder.path)
