import os
import signal

import numpy as np
import pytest

from tvir.contracts.errors import TvirError
from tvir.data import decoding, images
from tvir.data.opening import open_dataset


@pytest.fixture
def parallel(monkeypatch):
    """Worker processes even for a handful of images."""
    monkeypatch.setattr(decoding, "_WORTH_STARTING", 1)
    monkeypatch.setattr(decoding, "_processors", lambda: 2)


def test_many_processes_decode_as_one_does(fill, tmp_path, monkeypatch, parallel):
    root = fill(tmp_path / "photos", 200, width=20)
    for index in (3, 77, 150):
        (root / f"{index:04}.png").write_bytes(b"no image")
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path / "together"))
    together = open_dataset(str(root))
    monkeypatch.setattr(decoding, "_processors", lambda: 1)
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path / "alone"))
    alone = open_dataset(str(root))
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(together, name).rows, getattr(alone, name).rows)
    assert together.findings[1:] == alone.findings[1:]
    assert together.findings[0].startswith("3 of 200 files cannot be used: 0003.png (no image")


def test_a_worker_that_dies_is_one_clear_line(fill, tmp_path, fresh_cache, monkeypatch, parallel):
    root = fill(tmp_path / "photos", 100)
    monkeypatch.setattr(images, "_eight_bit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(TvirError, match="a decoding process died"):
        open_dataset(str(root))
    assert not list((fresh_cache / "data").glob(".building-*"))
