"""What several tests of the studio need: where it listens, and how frames and pictures are read."""

import io
import shutil
import struct
import time

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tvir.studio.atelier import Atelier
from tvir.studio.guard import Door, Pace
from tvir.studio.server import create_app

PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
OWN = {"Origin": HOME}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
]


def read_frame(content):
    """Number and rows of a frame or a sheaf of raw bytes."""
    number, width, height, channels, form = struct.unpack("<IHHBBxx", content[:12])
    assert form == 0
    return number, np.frombuffer(content[12:], np.uint8).reshape(-1, height, width, channels)


def png(pixels, **settings):
    """A PNG of an array."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG", **settings)
    return content.getvalue()


def live(client, run, **headers):
    """The WebSocket of a run, opened as the page opens it."""
    return client.websocket_connect(f"ws://127.0.0.1:{PORT}/api/runs/{run}/live", headers={**OWN, **headers})


def until(holds, seconds=15):
    """Wait for something; the pages forbid eval, so it is asked from outside."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)
    return found


def opened(tmp_path, named=(), data=None):
    """A studio of one's own and a browser in it."""
    atelier = Atelier.at(tmp_path / "studio", list(named), [], tmp_path / "trained", data)
    client = TestClient(create_app(atelier, Door(port=PORT), Pace(1e6, 1e6)), base_url=HOME)
    client.get("/")
    return atelier, client
