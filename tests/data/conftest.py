"""Images to read."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """A cache of this test alone."""
    path = tmp_path / "cache"
    monkeypatch.setenv("TVIR_CACHE", str(path))
    return path


@pytest.fixture
def picture():
    """Makes a smooth image that differs from seed to seed: a coloured ramp."""

    def make(seed=0, *, width=16, height=16, mode="RGB"):
        random = np.random.default_rng(seed)
        corners = random.integers(0, 256, (2, 2, 3), dtype=np.uint8)
        return Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR).convert(mode)

    return make


@pytest.fixture
def encode():
    """The bytes of an image in some format."""

    def make(image, form="PNG", **options):
        stream = io.BytesIO()
        image.save(stream, form, **options)
        return stream.getvalue()

    return make


@pytest.fixture
def fill(picture):
    """Writes a number of different images into a folder."""

    def make(folder, count, *, first=0, **how):
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(first, first + count):
            picture(index, **how).save(folder / f"{index:04}.png")
        return folder

    return make
