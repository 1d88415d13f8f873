"""What is wrong with something that was read, in a few words."""

from __future__ import annotations

from pydantic import ValidationError


def first_fault(error: ValidationError, whole: str = "the file") -> str:
    """Where the first fault is, and what it is.

    Args:
        error: What pydantic found.
        whole: What to name where the fault lies in no part.

    Example:
        >>> from pydantic import TypeAdapter
        >>> try:
        ...     TypeAdapter(dict[str, int]).validate_json('{"steps": "many"}')
        ... except ValidationError as error:
        ...     print(first_fault(error))
        steps: Input should be a valid integer, unable to parse string as an integer
    """
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or whole
    return f"{where}: {first['msg']}"
