"""Memory kept by the process between steps instead of being handed back and faulted in again."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc's allocator not to map and unmap large blocks: a step then causes a few page faults, not thousands.

    Returns:
        Whether it was told; other C libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        library = ctypes.CDLL(None)
        return bool(library.mallopt(_MMAP_MAX, 0)) and bool(library.mallopt(_TRIM_THRESHOLD, _NEVER))
    except (OSError, AttributeError):
        return False
