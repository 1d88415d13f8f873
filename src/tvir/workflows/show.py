"""Drawing a model's architecture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tvir.contracts.model import GenerativeModel, ModelConfig
from tvir.contracts.run import RunFolder, write_atomically
from tvir.reports.architecture import architecture_svg
from tvir.workflows.building import build_model, construct, find_method
from tvir.workflows.requesting import DataRequest, Fit, Reading, Tokens
from tvir.workflows.run import load


def show(
    subject: str,
    *,
    data: str = "digits",
    to: Path | str | None = None,
    config: Mapping[str, Any] | ModelConfig | None = None,
    size: int | tuple[int, int] | str | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    tokens: Tokens | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
    windows: bool = False,
    column: str | None = None,
    progress: Reading | None = None,
) -> Path:
    """Draw a model, or the model of a run, as an SVG with real layer shapes and parameter counts.

    Args:
        subject: Name of a model or a recipe, or the folder of a run.
        data: What the model is built for; a run knows its own.
        to: The SVG file; by default ``MODEL.svg`` here, or ``architecture.svg`` in the run.
        config: The model's settings; those left out keep their defaults.
        size: Side in pixels of the images, (height, width) or "HxW".
        channels: 1, 3 or 4.
        fit: How another aspect ratio is met.
        tokens: What text is cut into: characters, bytes, bpe or unigram.
        vocabulary: Most pieces of text.
        length: Tokens of an example of text.
        windows: Take text as one running text and cut it into windows.
        column: The column of text in a table.
        progress: Told while data is read.

    Returns:
        What was written.

    Raises:
        UsageError: There is no such model or run, or it cannot be built so.
    """
    if RunFolder(Path(subject)).record_path.exists():
        model: GenerativeModel = build_model(load(subject).record)
        place = Path(subject) / "architecture.svg"
    else:
        find_method(subject, config)  # said before any data is read
        request = DataRequest(
            reference=data, size=size, channels=channels, fit=fit, tokens=tokens, vocabulary=vocabulary, length=length,
            windows=windows, column=column,
        )  # fmt: skip
        dataset = request.open(progress)
        method = find_method(subject, config, dataset.spec)
        model = construct(method.kind, dataset.spec, method.config, seed=0)
        place = Path(f"{subject}.svg")
    place = place if to is None else Path(to)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, architecture_svg(model).encode())
    return place
