"""Files of tensors, perhaps from a stranger: nothing is read before it is known to be what was expected."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tvir.contracts.errors import UsageError

_LARGEST_HEADER = 8 * 2**20
"""Bytes. A header of 89 MB was seen to take 32 s and 1.4 GB to parse."""

_MOST_TENSORS = 20_000

_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors. Tensors that share memory are written once each."""
    seen = set[int]()
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        if value.untyped_storage().data_ptr() in seen:
            value = value.clone()
        seen.add(value.untyped_storage().data_ptr())
        plain[name] = value
    save_file(plain, path)


@torch.no_grad()
def read_tensors(path: Path, into: Mapping[str, Tensor]) -> None:
    """Copy a safetensors file into existing tensors, whose names, shapes and types it must have exactly.

    Args:
        path: The file.
        into: Where each tensor belongs; keeps its memory layout and device.

    Raises:
        UsageError: The file is no safetensors file, or holds anything else than what was expected.
    """
    _compare(path, header_of(path), into)
    try:
        with safe_open(path, framework="pt") as file:
            for name, target in into.items():
                value = file.get_tensor(name)
                if value.shape != target.shape or value.dtype != target.dtype:
                    raise UsageError(f"{path} contradicts itself about {name}; it cannot be read")
                target.copy_(value)
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {_first_line(error)}") from None


def load_tensors(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a safetensors file whose names begin with ``prefix``, for whoever checks their shapes.

    Raises:
        UsageError: The file is no safetensors file.
    """
    names = [name for name in header_of(path) if name.startswith(prefix)]
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {_first_line(error)}") from None


def header_of(path: Path) -> dict[str, Any]:
    """The names, shapes and types in a safetensors file, after its size has been looked at.

    Raises:
        UsageError: The file is no safetensors file, or its header is too large to be meant.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise UsageError(f"{path} is no ordinary file")
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _LARGEST_HEADER:
                raise UsageError(f"{path} claims a header of {length:,} bytes; the limit is {_LARGEST_HEADER:,}")
            header = json.loads(file.read(length), object_pairs_hook=_unique)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {_first_line(error)}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no safetensors file: its header cannot be parsed") from None
    if not isinstance(header, dict):
        raise UsageError(f"{path} is no safetensors file: its header is no object")
    header.pop("__metadata__", None)
    if len(header) > _MOST_TENSORS:
        raise UsageError(f"{path} holds {len(header):,} tensors; the limit is {_MOST_TENSORS:,}")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _compare(path: Path, header: dict[str, Any], expected: Mapping[str, Tensor]) -> None:
    if missing := [name for name in expected if name not in header]:
        raise UsageError(f"{path} lacks {missing[0]} ({len(missing)} missing); it belongs to other settings or data")
    if unknown := [name for name in header if name not in expected]:
        raise UsageError(f"{path} holds {unknown[0][:100]!r}, which these settings do not have ({len(unknown)} such)")
    for name, tensor in expected.items():
        entry = header[name] if isinstance(header[name], dict) else {}
        found = (entry.get("dtype"), entry.get("shape"))
        wanted = (_TYPES[tensor.dtype], list(tensor.shape))
        if found != wanted:
            raise UsageError(
                f"{path}: {name} is {_described(*found)} where the settings ask for {_described(*wanted)}; "
                "it belongs to other settings or data"
            )


def _described(kind: object, shape: object) -> str:
    return f"{kind} {shape}"[:80]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
