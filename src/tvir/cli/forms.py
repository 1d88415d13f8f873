"""Flags that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import arg

LatentFlag = Annotated[str | None, arg(metavar="{prior,mixture,flow,kernel}")]
"""What latents are drawn from; written out because reading it from the samplers would import torch for ``--help``."""


@dataclass(frozen=True, kw_only=True)
class DataFlags:
    """What to learn from, and how to read it."""

    data: str
    """digits, ring8, grid25, a folder of images, an IDX folder, .parquet, .npz, .npy, .txt, .csv, .jsonl, or
    hf:OWNER/NAME[:split]."""
    size: Annotated[str | None, arg(metavar="PIXELS")] = None
    """Side of the images in pixels, or HEIGHTxWIDTH; by default that of the data."""
    channels: Annotated[int | None, arg(metavar="{1,3,4}")] = None
    """1 for gray, 3 for RGB, 4 for RGBA; by default what the data has."""
    fit: Literal["crop", "pad"] = "crop"
    """How images of another aspect ratio are met: their centre is cropped, or they are padded."""
    strict: bool = False
    """Make a file that cannot be read an error; by default it is named, counted and skipped."""


@dataclass(frozen=True, kw_only=True)
class TextFlags:
    """How text is read."""

    tokens: Literal["characters", "bytes", "bpe", "unigram"] | None = None
    """What text is cut into: characters by default; bpe and unigram are learned from the training split."""
    vocabulary: Annotated[int | None, arg(metavar="INT")] = None
    """Most pieces of text; by default every character of the training split, or 2,048 learned pieces."""
    length: Annotated[int | None, arg(metavar="TOKENS")] = None
    """Tokens of an example; by default that of the longest text, at most 256, and 128 for windows."""
    windows: bool = False
    """Take all lines as one running text and cut it into windows; by default each line is an example."""
    column: Annotated[str | None, arg(metavar="NAME")] = None
    """Column of text in a table; by default the one whose name says so, or the only one."""


@dataclass(frozen=True, kw_only=True)
class BudgetFlags:
    """What a run may spend."""

    budget: str = "2m"
    """Of training: time (90s, 2m, 1h), steps (20ksteps), examples seen (1Msamples) or operations (50Tflops)."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the networks; auto measures for about a second which is faster here."""


@dataclass(frozen=True, kw_only=True)
class TrainFlags(BudgetFlags, TextFlags, DataFlags):
    """How a run is set up, whatever its model."""

    seed: int = 0
    """Of the first weights, the order of the data and the noise."""
    out: Annotated[str | None, arg(metavar="FOLDER")] = None
    """Folder of the run; by default runs/MODEL-DATA-seedN, numbered where that is taken."""
    start_from: Annotated[str | None, arg(metavar="RUN")] = None
    """Run of the same model whose weights to begin from, on data of the same shape; its settings are kept."""
    quiet: bool = False
    """Print nothing but errors."""
    nproc_per_node: int = 1
    """Processes on this machine that train one run together, each with a share of every batch."""
