"""What is written into an exported PNG, so that a dropped one reopens as live work."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from tvir.contracts.data import Array
from tvir.studio.works import Work

KEY = "tvir"
"""Keyword of the iTXt chunk."""

_LARGEST = 2**20
"""Bytes of a chunk that is worth reading."""


@with_config(ConfigDict(extra="ignore"))
@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a picture comes from.

    Args:
        weights: Hash of the weights of the model that made it.
        model: Name of the model.
        run: Name of the run, for people.
        latent: The latent's float32 numbers, little-endian, in base64; None where there is none.
        condition: Class index.
        condition_name: Name of that class.
        seed: What it was drawn with.
        origin: How it came about.
        settings: Of how it came about.
        made: When, in ISO 8601.
        work: Id of the work in the studio that made it.
        parents: Ids of the works it descends from.
        tvir: Version that wrote this.
    """

    schema: int = 1
    weights: str | None = None
    model: str | None = None
    run: str | None = None
    latent: str | None = None
    condition: int | None = None
    condition_name: str | None = None
    seed: int | None = None
    origin: str = "explored"
    settings: dict[str, Any] = field(default_factory=dict)
    made: str = ""
    work: str | None = None
    parents: tuple[str, ...] = ()
    tvir: str = ""


_ADAPTER = TypeAdapter(Provenance)


def provenance_of(work: Work, latent: Array | None) -> Provenance:
    """What is known of a work."""
    from tvir import __version__

    return Provenance(
        weights=work.weights,
        model=work.model,
        run=work.run,
        latent=None if latent is None else base64.b64encode(latent.astype("<f4").tobytes()).decode(),
        condition=work.condition,
        condition_name=work.condition_name,
        seed=work.seed,
        origin=work.origin,
        settings=work.settings,
        made=work.made,
        work=work.id,
        parents=work.parents,
        tvir=__version__,
    )


def as_json(provenance: Provenance) -> str:
    """The provenance as JSON text."""
    return _ADAPTER.dump_json(provenance, indent=2).decode()


def written_into(picture: Image.Image, provenance: Provenance) -> bytes:
    """A PNG with the provenance inside."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt(KEY, as_json(provenance))
    chunks.add_text("Software", "tvir")
    content = io.BytesIO()
    picture.save(content, format="PNG", pnginfo=chunks)
    return content.getvalue()


def read_from(content: bytes) -> tuple[Provenance, Array | None] | None:
    """The provenance in a PNG and its latent, or None where there is none that can be believed."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            text = image.info.get(KEY)  # without decoding a pixel
    except Exception:  # decoders of damaged files let anything escape
        return None
    if not isinstance(text, str) or len(text) > _LARGEST:
        return None
    try:
        provenance = _ADAPTER.validate_json(text)
        latent = provenance.latent and np.frombuffer(base64.b64decode(provenance.latent, validate=True), "<f4")
    except (ValidationError, ValueError):
        return None
    if latent is None or isinstance(latent, str):
        return provenance, None
    return (provenance, latent.astype(np.float32)) if np.isfinite(latent).all() else None
