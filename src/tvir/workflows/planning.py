"""Planning a run: everything that can be wrong is found before the first step, then written down as run.json."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

import tvir
from tvir.contracts.budget import Budget
from tvir.contracts.data import Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.faults import first_fault
from tvir.contracts.model import ModelConfig
from tvir.contracts.run import DataRecord, Precision, RunFolder, RunRecord, SpecRecord
from tvir.data.opening import find_source, open_dataset
from tvir.workflows.building import construct, find_method

if TYPE_CHECKING:
    from tvir.workflows.starting import Start

Reading = Callable[[str, int, int], None]
"""Told while data is read: what is being done, how much of it is done, how much there is."""

PrecisionChoice = Literal["auto", "float32", "bfloat16"]
Fit = Literal["crop", "pad"]
Tokens = Literal["characters", "bytes", "bpe", "unigram"]

_LARGEST_SEED = 2**63 - 1


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class DataRequest:
    """What a person asked of the data: a reference and how to read it.

    Args:
        reference: A built-in name, a path, or ``hf:OWNER/NAME``.
        size: Side in pixels, (height, width) or "HxW"; None takes what the data has.
        channels: 1, 3 or 4; None takes what the data has.
        fit: How another aspect ratio is met: ``crop`` the centre or ``pad``.
        strict: A file that cannot be read is an error instead of a finding.
        tokens: What text is cut into; None for characters.
        vocabulary: Most pieces of text; None takes what suits the kind of tokens.
        length: Tokens of an example; None takes what the data has.
        windows: Whether text is one running text, to be cut into windows.
        column: The column of text in a table; None takes the likeliest.
    """

    reference: str
    size: int | tuple[int, int] | str | None = None
    channels: int | None = None
    fit: Fit = "crop"
    strict: bool = False
    tokens: Tokens | None = None
    vocabulary: int | None = None
    length: int | None = None
    windows: bool = False
    column: str | None = None

    @staticmethod
    def of_record(record: DataRecord) -> DataRequest:
        """How the data of a run was read.

        Raises:
            UsageError: run.json holds options that reading data does not have.
        """
        try:
            return _REQUEST.validate_python({**record.options, "reference": record.reference})
        except ValidationError as error:
            raise UsageError(
                f"run.json: the data cannot be read with these options: {first_fault(error, 'data')}"
            ) from None

    def open(self, progress: Reading | None = None) -> Dataset:
        """Read the data, or find it in the cache.

        Raises:
            UsageError: There is no such data, or nothing in it can be read.
        """
        return open_dataset(
            self.reference,
            size=self.size,
            channels=self.channels,
            fit=self.fit,
            strict=self.strict,
            tokens=self.tokens,
            vocabulary=self.vocabulary,
            length=self.length,
            windows=self.windows,
            column=self.column,
            progress=progress,
        )


_REQUEST = TypeAdapter(DataRequest)


def plan_run(
    model: str,
    dataset: Dataset,
    *,
    budget: str = "2m",
    seed: int = 0,
    out: Path | str | None = None,
    config: Mapping[str, Any] | ModelConfig | None = None,
    precision: PrecisionChoice | Precision = "auto",
    start: Start | None = None,
) -> RunFolder:
    """Write the run.json of a run that has not taken a step yet.

    Args:
        model: Name of a model or a recipe, as ``tvir models`` lists them.
        dataset: The data, opened.
        budget: As ``Budget.parse`` reads it.
        seed: Of weights, order and noise; 0 or more.
        out: Folder of the run, new or empty; ``runs/MODEL-DATA-seedN`` by default, numbered where that is taken.
        config: The model's settings; those left out keep their defaults.
        precision: ``auto`` is decided by a measurement at the start of training.
        start: Weights of another run to begin from.

    Raises:
        UsageError: The model, a setting, the budget, the folder or the weights are not usable.
    """
    Budget.parse(budget)
    if not 0 <= seed <= _LARGEST_SEED:
        raise UsageError(f"seed {seed} is not usable; choose a whole number from 0 to 2^63 - 1")
    method = find_method(model, config, dataset.spec)
    # Settings that cannot be built should leave no folder behind.
    if start is not None:
        start.refuse_other_data(dataset.spec, method.kind)
    built = construct(method.kind, dataset.spec, method.config, seed)
    if start is not None:
        start.give(built)
    folder = RunFolder(_claim(out, f"{model}-{short_name(dataset.reference)}-seed{seed}"))
    folder.write(
        RunRecord(
            model=method.model,
            config=method.config.as_json(),
            data=record_data(dataset),
            budget=budget,
            seed=seed,
            start=None if start is None else start.keep_in(folder),
            precision=fixed_precision(precision),
            versions={"tvir": tvir.__version__, "torch": str(torch.__version__), "python": platform.python_version()},
            findings=dataset.all_findings,
        )
    )
    return folder


def record_data(dataset: Dataset) -> DataRecord:
    """What run.json says of the data. A path is made absolute, so that a run resumes from any folder."""
    return DataRecord(
        reference=find_source(dataset.reference).from_anywhere(dataset.reference),
        options=dataset.options,
        fingerprint=dataset.fingerprint,
        spec=SpecRecord.of(dataset.spec),
    )


def fixed_precision(precision: PrecisionChoice | Precision) -> Precision | None:
    """The arithmetic a person asked for; None leaves it to a measurement."""
    match precision:
        case Precision():
            return precision
        case "auto":
            return None
        case "float32":
            return Precision(autocast="none", decided_by="request")
        case "bfloat16":
            return Precision(autocast="bfloat16", memory_format="channels_last", decided_by="request")
    raise UsageError(f"there is no precision {precision!r}; choose one of: auto, float32, bfloat16")


def _claim(out: Path | str | None, name: str) -> Path:
    if out is not None:
        path = Path(out)
        _refuse_taken(path)
        return path
    for number in count(1):
        path = Path("runs") / (name if number == 1 else f"{name}-{number}")
        path.parent.mkdir(exist_ok=True)
        try:
            path.mkdir()  # making the folder is what claims the name, so two commands at once never share one
        except FileExistsError:
            continue
        return path
    raise AssertionError("unreachable")


def _refuse_taken(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; choose another --out")
    if RunFolder(path).record_path.exists():
        raise UsageError(f"{path} already holds a run; continue it with: tvir resume {path}, or choose another --out")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{path} is a folder with other things in it; choose another --out")


def short_name(reference: str) -> str:
    """A few plain characters that remind of the data: the last part of a path or of a hub name.

    Example:
        >>> short_name("stacked:data/MNIST"), short_name("hf:owner/name"), short_name("digits")
        ('stacked-mnist', 'name', 'digits')
    """
    place = re.sub(r"^(?:[a-z]{2,}:)+", "", reference)
    kinds = reference.removesuffix(place).replace("hf:", "")
    last = place.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rsplit(".", 1)[0] or last
    return re.sub(r"[^a-z0-9]+", "-", f"{kinds}{stem}".lower()).strip("-")[:40] or "data"
