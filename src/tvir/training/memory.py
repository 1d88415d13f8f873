"""How much memory training has needed."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

TOO_LITTLE = "there is too little memory for a step; choose a smaller --batch-size or --width"
"""What a run that ran out of memory says of its failure."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory could not be had; on a CPU torch has no class of its own for it."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def peak_memory() -> int | None:
    """Bytes: of the GPU where training uses one, otherwise the largest resident size of this process so far.

    The process may have held more before training began; None where the system does not say.
    """
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    try:
        # Unlike ru_maxrss, which a process inherits from whoever started it, this begins anew with the program.
        status = Path("/proc/self/status").read_text("utf-8")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts in bytes, others in kibibytes.
    return largest if sys.platform == "darwin" else 1024 * largest
