"""How arithmetic is done: in bfloat16 or not, channels last or not, whichever is faster here."""

from __future__ import annotations

import copy
import time
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Examples, ImageSpec
from tvir.contracts.model import Batch, GenerativeModel
from tvir.contracts.noise import Noise
from tvir.contracts.run import Precision
from tvir.training.moves import prepare_move
from tvir.training.processes import Processes

_SECONDS = 1.0
"""How long the measurement may take, about."""

_LARGEST_BATCH = 64
"""Examples in a measured step: large steps need not be measured at their full size to be compared."""

_TINY = 32
"""Pixels of a side below which there is little to gain, so that a gain must be clear to count."""

_CANDIDATES = (
    Precision(),
    Precision(memory_format="channels_last"),
    Precision(autocast="bfloat16", memory_format="channels_last"),
    Precision(autocast="bfloat16"),
)


_IMITATES = ("AVX2", "DEFAULT")
"""Instruction sets without bfloat16: a step in it was seen to take ten times as long, and three times the memory."""


def candidates(device: torch.device) -> tuple[Precision, ...]:
    """What is worth measuring on a device."""
    if device.type == "cpu" and torch.backends.cpu.get_cpu_capability() in _IMITATES:
        return tuple(precision for precision in _CANDIDATES if precision.autocast == "none")
    return _CANDIDATES


class Arithmetic:
    """A precision on a device, applied to models and data. Weights and optimiser state stay float32.

    Args:
        precision: The decision.
        device: Where training happens.
    """

    def __init__(self, precision: Precision, device: torch.device) -> None:
        self.precision = precision
        self.device = device
        self._format = torch.channels_last if precision.memory_format == "channels_last" else torch.contiguous_format

    def place_model(self, model: GenerativeModel) -> None:
        """Move a model to the device and give its weights the memory format."""
        model.to(device=self.device).to(memory_format=self._format)  # pyright: ignore[reportCallIssue]

    def place_data(self, data: Tensor) -> Tensor:
        """Move examples to the device in the memory format."""
        if data.dim() != 4:
            return data.to(self.device)
        return data.to(self.device).contiguous(memory_format=self._format)

    def autocast(self) -> AbstractContextManager[object]:
        """What losses are computed under."""
        if self.precision.autocast == "none":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def decide_precision(model: GenerativeModel, examples: Examples, processes: Processes) -> Precision:
    """Measure which arithmetic is fastest for a model here, on copies of it, in about a second.

    float32 in the ordinary memory format is kept unless another is clearly faster. Only images are measured: vectors
    and text have no channels, and their networks are too small to gain. All processes measure together and decide
    alike: they compete for the same cores, and some layers talk to each other.
    """
    stage = next((stage for stage in model.stages() if stage.phases), None)
    if not isinstance(examples.spec, ImageSpec) or stage is None:
        return Precision(decided_by="default: only image networks are measured")
    count = _measured_batch(model, examples, processes)
    spent, times = 0.0, dict[Precision, float]()
    trials = {
        precision: _Trial(model, examples, Arithmetic(precision, processes.device), count)
        for precision in candidates(processes.device)
    }
    for precision, trial in trials.items():
        first = trial.step(processes)  # chooses kernels and allocates
        times[precision] = trial.step(processes)
        spent += first + times[precision]
        if spent > _SECONDS:
            break
    while spent < _SECONDS:
        for precision, trial in trials.items():
            seconds = trial.step(processes)
            times[precision] = min(times[precision], seconds)
            spent += seconds
    return _fastest(times, examples.spec)


def _measured_batch(model: GenerativeModel, examples: Examples, processes: Processes) -> int:
    """Examples of a measured step: fewer where two whole steps of every candidate would take too long."""
    count = min(model.config.batch_size, _LARGEST_BATCH)
    seconds = _Trial(model, examples, Arithmetic(Precision(), processes.device), count).step(processes)
    share = _SECONDS / (2 * len(_CANDIDATES) * seconds)
    return max(1, int(count * min(1.0, share)))


def _fastest(times: dict[Precision, float], spec: ImageSpec) -> Precision:
    plain = Precision()
    margin = 1.1 if max(spec.height, spec.width) < _TINY else 1.03
    best = min(times, key=lambda precision: times[precision] * (1 if precision == plain else margin))
    words = ", ".join(f"{_name(precision)} {1000 * seconds:.3g}" for precision, seconds in times.items())
    return Precision(
        autocast=best.autocast,
        memory_format=best.memory_format,
        decided_by=f"measurement at the start, milliseconds a step: {words}",
    )


def _name(precision: Precision) -> str:
    return f"{'float32' if precision.autocast == 'none' else precision.autocast} {precision.memory_format}"


class _Trial:
    """Gradients of a copy of the model, of which nothing is kept."""

    def __init__(self, model: GenerativeModel, examples: Examples, arithmetic: Arithmetic, count: int) -> None:
        self._arithmetic = arithmetic
        self._model = copy.deepcopy(model).train()
        arithmetic.place_model(self._model)
        self._stage = next(stage for stage in self._model.stages() if stage.phases)
        indices = np.arange(count) % len(examples)
        labels = examples.labels_at(indices)
        self._data = arithmetic.place_data(examples.spec.to_model(examples.take(indices)))
        self._labels = None if labels is None else labels.to(arithmetic.device)

    def step(self, processes: Processes) -> float:
        """Seconds of one step, on the slowest process."""
        begin = time.perf_counter()
        for number, phase in enumerate(self._stage.phases):
            noise = Noise(number, count=len(self._data), device=self._arithmetic.device)
            batch = Batch(data=self._data, labels=self._labels, noise=noise, step=0, progress=0.0)
            parameters = [parameter for parameter in phase.player.parameters if parameter.requires_grad]
            prepare_move(phase, parameters, batch, self._arithmetic.autocast, processes)
        if self._arithmetic.device.type == "cuda":
            torch.cuda.synchronize()
        return processes.largest(time.perf_counter() - begin)[0]
