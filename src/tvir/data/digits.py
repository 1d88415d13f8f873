"""Real handwriting that needs no download: scikit-learn's digits."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tvir.contracts.data import Array
from tvir.data.blocks import Block, PixelBlock
from tvir.data.files import FileState, hash_files
from tvir.data.source import Contents, Progress, Source


class Digits(Source):
    """1,797 handwritten digits of 8 x 8 gray pixels in 17 levels (Alpaydin and Kaynak 1998), scaled to 0 ... 255."""

    expects = "the built-in digits"
    built_in = ("digits",)
    precedence = 10

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        return cls() if reference == "digits" else None

    def content_hash(self, progress: Progress) -> str:
        # Importing scikit-learn takes over a second; hashing its file does not need it.
        package = importlib.util.find_spec("sklearn")
        path = Path((package and package.origin) or "").parent / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            return hash_files([FileState.of(path)], progress)
        return hashlib.blake2b(_load()[0].tobytes(), digest_size=16).hexdigest()

    def contents(self) -> Contents:
        _, labels = _load()
        return Contents(count=len(labels), labels=labels, classes=tuple("0123456789"))

    def blocks(self) -> Iterator[Block]:
        yield PixelBlock(_load()[0])


def _load() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    images, labels = map(np.asarray, load_digits(return_X_y=True))
    pixels = np.rint(images.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    return pixels, labels.astype(np.int64)
