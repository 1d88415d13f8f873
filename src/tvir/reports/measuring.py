"""What is really inside a model's networks: layers, output shapes and parameters, measured by running it once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from tvir.contracts.data import DataSpec, ImageSpec, TextSpec
from tvir.contracts.diagram import Diagram
from tvir.contracts.model import Batch, EncodesData, GenerativeModel
from tvir.contracts.noise import Noise

_EXAMPLES = 4
"""Enough for batch statistics and for losses that halve the batch."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One line of a network's box.

    Args:
        words: What it is: ``Conv2d 3x3 + GroupNorm + SiLU``.
        shape: Of one example's output, or None where the layer was not run.
        parameters: Trainable numbers in it.
        path: Where it lies in the network (``trunk.0.body.2``).
    """

    words: str
    shape: tuple[int, ...] | None
    parameters: int
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class Network:
    """The inside of one box.

    Args:
        layers: Its lines, in the order in which they ran.
        parameters: Trainable numbers in all of them.
    """

    layers: tuple[Layer, ...]
    parameters: int


def measure(model: GenerativeModel, *, most_layers: int = 12) -> tuple[Diagram, dict[str, Network]]:
    """A model's diagram, and the network inside every box that has one.

    The model is copied, run once (sampling, reconstructing and every loss of every stage on a few made-up examples)
    and watched. The model itself and torch's random state stay untouched.

    Args:
        model: Any model.
        most_layers: Lines per box; longer networks are told block by block.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        watched = copy.deepcopy(model)
        diagram = watched.diagram()
        shapes: dict[nn.Module, tuple[int, ...] | None] = {}
        handles = [
            layer.register_forward_hook(_recorder(shapes))
            for box in diagram.boxes
            if box.module is not None
            for _, layer in leaves(box.module)
        ]
        _exercise(watched)
        for handle in handles:
            handle.remove()
    return diagram, {
        box.name: _network(box.module, shapes, most_layers) for box in diagram.boxes if box.module is not None
    }


def leaves(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules that compute something themselves, with their paths; parametrised layers count as one."""
    children = [] if is_parametrized(module) else list(module.named_children())
    if not children:
        yield path, module
    for name, child in children:
        yield from leaves(child, f"{path}.{name}" if path else name)


def _recorder(shapes: dict[nn.Module, tuple[int, ...] | None]) -> Callable[[nn.Module, Any, Any], None]:
    def record(layer: nn.Module, _: Any, output: Any) -> None:
        if layer not in shapes:
            shapes[layer] = tuple(output.shape[1:]) if isinstance(output, Tensor) else None

    return record


def _exercise(model: GenerativeModel) -> None:
    """Run everything once, so that every layer is seen. Only shapes are wanted: what cannot run is passed over."""
    examples = _made_up(model.spec)
    with suppress(RuntimeError, ValueError):
        model.sample(_EXAMPLES)
    if isinstance(model, EncodesData):
        with suppress(RuntimeError, ValueError):
            model.reconstruct(examples)
    model.train()
    classes = len(model.spec.classes)
    labels = torch.arange(_EXAMPLES) % classes if classes else None
    for stage in model.stages():
        for phase in stage.phases:
            batch = Batch(data=examples, labels=labels, noise=Noise(0, count=_EXAMPLES), step=0, progress=0.0)
            with suppress(RuntimeError, ValueError):
                phase.loss(batch)


def _made_up(spec: DataSpec) -> Tensor:
    draw = np.random.default_rng(0)
    shape = (_EXAMPLES, *spec.row_shape)
    match spec:
        case ImageSpec():
            return spec.to_model(draw.integers(0, 256, shape).astype(np.uint8))
        case TextSpec():
            return spec.to_model(draw.integers(0, spec.vocabulary, shape))
        case _:
            return spec.to_model(draw.standard_normal(shape).astype(np.float32))


def _network(module: nn.Module, shapes: dict[nn.Module, tuple[int, ...] | None], most: int) -> Network:
    paths = {layer: path for path, layer in leaves(module)}
    ran = [layer for layer in shapes if layer in paths]
    silent = [layer for layer in paths if layer not in shapes and _parameters(layer)]
    lines = [
        Layer(words=_words(layer), shape=shapes.get(layer), parameters=_parameters(layer), path=paths[layer])
        for layer in [*ran, *silent]
    ]
    return Network(layers=tuple(_shorten(module, _joined(lines), most)), parameters=_parameters(module))


def _joined(lines: Sequence[Layer]) -> list[Layer]:
    """Layers without weights of their own that keep the shape go on the line of the layer before."""
    joined: list[Layer] = []
    for line in lines:
        before = joined[-1] if joined else None
        if before and line.shape == before.shape and (not line.parameters or "Norm" in line.words):
            words = before.words if line.words.startswith("Identity") else f"{before.words} + {line.words}"
            joined[-1] = replace(before, words=words, parameters=before.parameters + line.parameters)
        elif not line.words.startswith("Identity"):
            joined.append(line)
    return joined


def _shorten(module: nn.Module, lines: list[Layer], most: int) -> list[Layer]:
    """Where there are too many lines, one line per block, the deepest blocks that are few enough."""
    if len(lines) <= most:
        return lines
    deepest = max(line.path.count(".") for line in lines)
    for depth in range(deepest, 0, -1):
        blocks = _repeated(_blocks(module, lines, depth))
        if len(blocks) <= most:
            return blocks
    blocks = _repeated(_blocks(module, lines, 1))
    left = blocks[most - 1 :]
    rest = Layer(words=f"… {len(left)} more", shape=left[-1].shape, parameters=sum(line.parameters for line in left))
    return [*blocks[: most - 1], rest]


def _blocks(module: nn.Module, lines: Sequence[Layer], depth: int) -> list[Layer]:
    """Neighbouring lines that lie in the same block at a depth, told by the block."""
    blocks: list[Layer] = []
    members = 0
    for line in lines:
        path = ".".join(line.path.split(".")[:depth])
        if blocks and blocks[-1].path == path:
            members += 1
            whole = blocks[-1].parameters + line.parameters
            words = f"{_words(module.get_submodule(path))} ({members} layers)"
            blocks[-1] = Layer(words=words, shape=line.shape, parameters=whole, path=path)
        else:
            members = 1
            blocks.append(replace(line, path=path))
    return blocks


def _repeated(lines: Sequence[Layer]) -> list[Layer]:
    """Equal neighbours become one line with a count."""
    shown: list[Layer] = []
    counts: list[int] = []
    for line in lines:
        if shown and (shown[-1].words, shown[-1].shape) == (line.words, line.shape):
            counts[-1] += 1
            shown[-1] = replace(shown[-1], parameters=shown[-1].parameters + line.parameters)
        else:
            shown.append(line)
            counts.append(1)
    return [
        replace(line, words=f"{count} × {line.words}") if count > 1 else line
        for line, count in zip(shown, counts, strict=True)
    ]


def _words(layer: nn.Module) -> str:
    """Class name and, for convolutions, kernel and stride."""
    kind = type(layer).__mro__[1] if is_parametrized(layer) else type(layer)
    words = kind.__name__
    kernel = getattr(layer, "kernel_size", None)
    if isinstance(kernel, tuple):
        words += " " + "×".join(map(str, kernel))
    stride = getattr(layer, "stride", None)
    if isinstance(stride, tuple) and any(step != 1 for step in stride):
        words += " /" + "×".join(dict.fromkeys(map(str, stride)))
    return words


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
