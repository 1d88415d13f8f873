"""How much memory training has needed."""

from __future__ import annotations

import sys

import torch


def peak_memory() -> int | None:
    """Bytes: of the GPU where training uses one, otherwise the largest resident size of this process so far.

    The process may have held more before training began; None where the system does not say.
    """
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kibibytes, macOS in bytes.
    return largest if sys.platform == "darwin" else 1024 * largest
