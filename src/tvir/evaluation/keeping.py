"""Keeping fitted extractors between runs, by the content of the data and the recipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tvir.contracts.cache import cache_directory
from tvir.contracts.run import write_atomically

_LARGEST = 512 * 2**20
"""Bytes of weights worth reading back."""


def kept_tensors(
    key: str, expected: Mapping[str, tuple[int, ...]], fit: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """The tensors kept under a key, or freshly fitted ones, which are then kept.

    Whatever in the cache does not have the expected names and shapes is fitted again. Of two processes that fit at
    once, both end up with the tensors of the one that finished first, so that their names for the space agree.

    Args:
        key: File name: the recipe and the fingerprint of the data.
        expected: Names and shapes.
        fit: Makes the tensors where none are kept.
    """
    path = cache_directory() / "features" / f"{key}.safetensors"

    def read() -> dict[str, Tensor] | None:
        try:
            if path.stat().st_size > _LARGEST:
                return None
            found = load(path.read_bytes())
        except (OSError, SafetensorError):
            return None
        return found if {name: tuple(tensor.shape) for name, tensor in found.items()} == dict(expected) else None

    kept = read()
    if kept is not None:
        return kept
    fitted = {name: tensor.contiguous() for name, tensor in fit().items()}
    kept = read()
    if kept is not None:
        return kept
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save(fitted))
    except OSError as error:
        # A full or read-only disk costs the next run time; it must not cost this one its scorecard.
        if os.environ.get("TVIR_DEBUG"):
            raise error
    return fitted
