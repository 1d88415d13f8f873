"""What every study writes beside its results, and how it keeps quiet."""

from __future__ import annotations

import subprocess
from pathlib import Path

import torch

import tvir


def versions() -> dict[str, str]:
    """Of what a result was made with."""
    here = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(here, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    return {"tvir": tvir.__version__, "torch": str(torch.__version__), "commit": commit or "unknown"}


def silent(description: str, done: int, total: int) -> None:
    """Hear of progress and say nothing."""
    del description, done, total
