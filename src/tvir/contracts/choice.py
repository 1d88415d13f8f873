"""Named alternatives with settings of their own: losses, penalties, likelihoods, priors, networks."""

from __future__ import annotations

import dataclasses
import inspect
import re
from abc import ABC
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import core_schema

from tvir.contracts.errors import UsageError


class Choice(ABC):  # noqa: B024 - the families below declare what their alternatives must do
    """One of several alternatives that a configuration can name.

    A family of alternatives is an abstract subclass; each alternative is a final, frozen dataclass below it. On
    the command line and in run.json an alternative is written as its name, followed by the settings that differ
    from their defaults: ``r1``, ``r1:weight=5.0,every=16``. The name is the class name in kebab case. Only classes
    that exist under the family can be named, so reading one from a stranger's file imports nothing.

    Example:
        >>> from dataclasses import dataclass
        >>> class Colour(Choice): ...
        >>> @dataclass(frozen=True, kw_only=True)
        ... class DarkRed(Colour):
        ...     depth: int = 1
        >>> Colour.parse("dark-red:depth=3")
        DarkRed(depth=3)
        >>> str(DarkRed(depth=3)), str(DarkRed())
        ('dark-red:depth=3', 'dark-red')
    """

    name: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def alternatives(cls) -> dict[str, type[Self]]:
        """Every final class of this family, by name, in order of definition."""
        found: dict[str, type[Self]] = {}
        for child in cls.__subclasses__():
            # @dataclass(slots=True) leaves a second class behind; only real dataclasses count.
            if dataclasses.is_dataclass(child) and not inspect.isabstract(child):
                found[child.name] = child
            found.update(child.alternatives())
        return found

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name`` or ``name:setting=value,...``.

        Raises:
            UsageError: The name, a setting or a value does not exist in this family.
        """
        name, _, settings = text.strip().partition(":")
        alternatives = cls.alternatives()
        if name not in alternatives:
            family = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", cls.__name__).lower()
            raise UsageError(f"there is no {family} called {name!r}; choose one of: {', '.join(alternatives)}")
        found = alternatives[name]
        values: dict[str, Any] = {}
        for setting in filter(None, settings.split(",")):
            key, _, value = setting.partition("=")
            values[key.strip()] = value.strip()
        known = {field.name for field in dataclasses.fields(found)}  # type: ignore[arg-type]
        if unknown := set(values) - known:
            expected = ", ".join(sorted(known)) or "none"
            raise UsageError(f"{name} has no setting {sorted(unknown)[0]!r}; its settings are: {expected}")
        try:
            return TypeAdapter(found).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = first["loc"][0] if first["loc"] else name
            raise UsageError(f"{name}: {where}={first['input']!r} is not usable: {first['msg']}") from None

    def __str__(self) -> str:
        """The shortest text that ``parse`` reads back as this value."""
        changed = [
            f"{field.name}={getattr(self, field.name)}"
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if getattr(self, field.name) != field.default
        ]
        return self.name + (":" + ",".join(changed) if changed else "")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Abstract families are read from and written as text; final classes stay ordinary dataclasses."""
        if dataclasses.is_dataclass(cls):
            return handler(source)

        def read(value: object) -> object:
            if isinstance(value, str):
                try:
                    return cls.parse(value)
                except UsageError as error:
                    raise ValueError(str(error)) from None
            return value

        return core_schema.no_info_before_validator_function(
            read,
            core_schema.is_instance_schema(cls),
            serialization=core_schema.to_string_ser_schema(),
        )
