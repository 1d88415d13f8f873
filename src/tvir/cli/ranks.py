"""Which of several processes this is, when some train one run together."""

from __future__ import annotations

import os


def rank() -> int:
    """As torchrun numbers the processes; the main one, or one alone, is 0."""
    together = os.environ.get("WORLD_SIZE", "1") != "1"
    return int(os.environ.get("RANK", "0")) if together else 0
