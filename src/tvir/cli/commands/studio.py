"""Opens the web studio, where people create with trained models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tvir.cli.parsing import parse
from tvir.contracts.errors import MissingExtraError


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Opens the web studio, where people create with trained models: explore, blend, evolve, begin from a picture.

    Without a run it offers those below ./runs and here, and a training of 30 seconds where there are none.
    """

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="[RUN ...]")] = ()
    """Runs to create with."""
    port: int = 8765
    """Port to listen on."""
    host: str = "127.0.0.1"
    """Address to listen on. Beyond this machine, the printed link holds a token."""
    studio: Annotated[Path, arg(metavar="FOLDER")] = Path("studio")
    """Where works are kept."""
    data_folder: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """Folder whose files and folders may be learned from on the page; without one only built-in data and pictures that
    are brought there."""


def main(words: Sequence[str]) -> None:
    """Serve until interrupted."""
    form = parse(Studio, words, program="tvir studio")
    try:
        from tvir.studio.server import open_studio
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "tvir"):
            raise
        raise MissingExtraError("the studio", "studio") from None
    open_studio(form.runs, folder=form.studio, host=form.host, port=form.port, data=form.data_folder)
