"""From a record to the model it describes: checked, bounded in size, with weights that follow from the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from tvir.contracts.data import DataSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import GenerativeModel, ModelConfig
from tvir.contracts.noise import mix_seed
from tvir.contracts.ranges import Range, ranges_of
from tvir.contracts.run import RunRecord, SpecRecord
from tvir.models.catalogue import find_model
from tvir.recipes.catalogue import recipes

_LARGEST_MODEL = 4 * 2**30
"""Bytes of weights; a stranger's run.json must not make us allocate without bound."""


def build_model(record: RunRecord) -> GenerativeModel:
    """The model of a run, with the weights it starts from.

    Raises:
        UsageError: The record names no known model, or settings or data that the model cannot be built with.
        MissingExtraError: The model needs packages that are not installed.
    """
    kind = find_model(record.model)
    return construct(kind, record.data.spec.spec(), read_config(kind, record.config), record.seed)


@dataclass(frozen=True, kw_only=True)
class Method:
    """What a person named: a model, or a recipe that is one with settings of its own.

    Args:
        model: Name of the model.
        kind: Its class.
        config: The settings.
    """

    model: str
    kind: type[GenerativeModel]
    config: ModelConfig

    @property
    def ranges(self) -> dict[str, Range]:
        """Settings that are worth searching."""
        return ranges_of(self.kind.Config)


def find_method(
    name: str, config: Mapping[str, Any] | ModelConfig | None = None, spec: DataSpec | None = None
) -> Method:
    """The model or recipe of a name, with settings: those named, else the recipe's, else what suits the data.

    Args:
        name: Of a model or a recipe.
        config: Settings that differ from the model's or the recipe's; a whole ``Config`` is taken as it is.
        spec: What the model is for, once that is known.

    Raises:
        UsageError: There is no such name, or a setting is not usable.
        MissingExtraError: The model needs packages that are not installed.
    """
    recipe = recipes().get(name)
    model = name if recipe is None else recipe.model
    kind = find_model(model, others=recipes())
    if not isinstance(config, ModelConfig):
        asked = {**(recipe.settings if recipe else {}), **(config or {})}
        config = {**(kind.settings_for(spec, asked) if spec is not None else {}), **asked}
    return Method(model=model, kind=kind, config=read_config(kind, config))


def read_config(kind: type[GenerativeModel], config: Mapping[str, Any] | ModelConfig | None) -> ModelConfig:
    """The settings of a model, from whatever form they were given in, checked.

    Raises:
        UsageError: A setting does not exist or is not usable, or the settings belong to another model.
    """
    if config is None:
        return kind.Config()
    if not isinstance(config, ModelConfig):
        return kind.Config.from_json(config)
    if not isinstance(config, kind.Config):
        raise UsageError(
            f"the settings are a {type(config).__qualname__}; {kind.__name__} takes {kind.__name__}.Config"
        )
    # A dataclass checks nothing when it is made; its JSON form is checked like one from a file.
    return kind.Config.from_json(config.as_json())


def construct(kind: type[GenerativeModel], spec: DataSpec, config: ModelConfig, seed: int) -> GenerativeModel:
    """A model whose first weights depend on the seed alone; the caller's random state stays as it was.

    Raises:
        UsageError: The model does not take this kind of data, or would be too large to be meant.
    """
    if not isinstance(spec, kind.specs):
        takes = " or ".join(taken.__name__.removesuffix("Spec").lower() for taken in kind.specs)
        given = SpecRecord.of(spec).kind
        raise UsageError(f"{kind.__name__} cannot learn {given} data; it takes {takes} data")
    with torch.random.fork_rng(devices=[]), _bounded(kind):
        try:
            torch.manual_seed(mix_seed(seed, "weights"))
            return kind(spec, config)
        except (ValueError, OverflowError, MemoryError, RuntimeError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise UsageError(f"{kind.__name__} cannot be built with these settings for this data: {reason}") from error


@contextmanager
def _bounded(kind: type[GenerativeModel]) -> Iterator[None]:
    """Refuse giants while they are built: a layer is registered before its weights are filled and take real memory."""
    taken = 0

    def count(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal taken
        taken += 0 if tensor is None else tensor.numel() * tensor.element_size()
        if taken > _LARGEST_MODEL:
            raise UsageError(
                f"{kind.__name__} with these settings has more than {_LARGEST_MODEL >> 30} GiB of weights; choose a "
                "smaller width or smaller data"
            )

    hooks = [register_module_parameter_registration_hook(count), register_module_buffer_registration_hook(count)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
