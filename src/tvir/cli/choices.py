"""Named alternatives on the command line: ``--regulariser r1:weight=5.0``."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, get_type_hints

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from tvir.contracts.choice import Choice
from tvir.contracts.errors import UsageError


def choice_registry() -> ConstructorRegistry:
    """Teaches tyro to read any family of alternatives from text."""
    registry = ConstructorRegistry()

    @registry.primitive_rule
    def read_choice(information: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        family = information.type
        if not (inspect.isclass(family) and issubclass(family, Choice)):
            return None

        def parse(words: list[str]) -> Choice:
            try:
                return family.parse(words[0])
            except UsageError as error:
                raise ValueError(str(error)) from None

        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="{" + ",".join(family.alternatives()) + "}",
            instance_from_str=parse,
            is_instance=lambda value: isinstance(value, family),
            str_from_instance=lambda value: [str(value)],
        )

    return registry


def explain_choices(config: type) -> str:
    """The alternatives of a configuration that have settings of their own, for the end of a help text."""
    hints = get_type_hints(config)
    lines: list[str] = []
    for setting in dataclasses.fields(config):
        family = hints[setting.name]
        if not (inspect.isclass(family) and issubclass(family, Choice)):
            continue
        flag = setting.name.replace("_", "-")
        explained = [line for name, final in family.alternatives().items() if (line := _settings(name, final))]
        lines += [f"--{flag} {line}" for line in explained]
    if not lines:
        return ""
    return "Alternatives with settings of their own (NAME:SETTING=VALUE,...), with defaults:\n" + "\n".join(lines)


def _settings(name: str, final: type) -> str:
    shown = [
        f"{setting.name}={setting.default if setting.default is not dataclasses.MISSING else '...'}"
        for setting in dataclasses.fields(final)
    ]
    return f"{name}:{','.join(shown)}" if shown else ""
