"""Where decoded data and computed features are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """``$TVIR_CACHE``, else ``$XDG_CACHE_HOME/tvir``, else ``~/.cache/tvir``. It may be deleted at any time."""
    chosen = os.environ.get("TVIR_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tvir"
