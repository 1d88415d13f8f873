"""The pictures of docs/studio.md, taken of a real studio: python benchmarks/studio_pictures.py RUN [RUN ...].

The first run must be able to encode (tvir train vae --data digits --budget 60s). Debian's chromium and Playwright.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PLACE = Path(__file__).parents[1] / "docs" / "images" / "studio"
DESK, PHONE = (1280, 860), (400, 860)
SETTLED = 1.5


def main() -> None:
    """Serve, keep some works, and take a picture of each page."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tvir", "studio", *sys.argv[1:], "--port", str(port), "--studio", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        home = f"http://127.0.0.1:{port}/"
        try:
            run = _fill(home, Path(sys.argv[1]).name)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                _take(browser, home, run)
                browser.close()
        finally:
            server.terminate()
            server.wait()


def _fill(home: str, name: str) -> str:
    client = httpx.Client(base_url=home, timeout=60)
    for _ in range(300):
        try:
            client.get("/")
            break
        except httpx.ConnectError:
            time.sleep(0.1)
    run = next(run["id"] for run in client.get("/api/runs").json() if run["name"] == name)

    def keep(*works: dict[str, Any]) -> list[str]:
        answer = client.post("/api/works", json={"run": run, "works": list(works)})
        return [work["id"] for work in answer.raise_for_status().json()]

    def litter(parents: list[str], seed: int) -> list[dict[str, Any]]:
        form = {"parents": [{"work": parent} for parent in parents], "seed": seed, "boldness": 0.3}
        born = client.post(f"/api/runs/{run}/litter", json=form).json()
        settings = {"boldness": 0.3, "crossover": 0.5}
        return [
            {"point": {"latent": child["latent"]}, "origin": "bred", "parents": parents, "settings": settings}
            for child in born
        ]

    first = [keep({"point": {"seed": seed}})[0] for seed in (1, 2, 5, 7, 11, 12)]
    second = keep(*litter(first[:2], 1)[:3]) + keep(*litter(first[3:5], 2)[:2])
    third = keep(*litter([second[0], second[3]], 3)[:3])
    blend = {"works": first[2:4], "weights": [0.5, 0.5]}
    keep({"point": {"blend": blend}, "origin": "blended", "parents": first[2:4]})
    client.patch(f"/api/works/{third[0]}", json={"name": "For the cover", "favourite": True})
    client.patch(f"/api/works/{first[5]}", json={"note": "too thin?", "favourite": True})
    client.post("/api/collections", json={"name": "Poster"})
    return run


def _take(browser: Browser, home: str, run: str) -> None:
    page = _page(browser, home, run, "#/explore", DESK)
    page.locator(".direction").first.wait_for()
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    _shot(page, "explore")

    page = _page(browser, home, run, "#/explore", PHONE, color_scheme="dark")
    page.locator(".direction").first.wait_for()
    _shot(page, "explore-phone")

    page = _page(browser, home, run, "#/blend", DESK, color_scheme="dark")
    for number in (1, 4, 7, 10):
        page.locator(".strip button").nth(number).click()
    _shot(page, "blend")

    page = _page(browser, home, run, "#/evolve", DESK)
    for number in (6, 9):
        page.locator(".strip button").nth(number).click()
    page.locator("tvir-evolve button.main").click()
    page.locator(".child").nth(8).wait_for()
    page.locator(".child > button").nth(4).click()
    _shot(page, "evolve")

    page = _page(browser, home, run, "#/mine", DESK)
    page.locator("#file").set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": _seven()})
    page.get_by_text("Encoded.").wait_for()
    page.get_by_role("button", name="Come nearer").click()
    page.get_by_text("100 % of the steps").wait_for()
    _shot(page, "mine")

    _shot(_page(browser, home, run, "#/gallery", DESK, locale="uk-UA"), "gallery-uk")
    _shot(_page(browser, home, run, "#/gallery", PHONE), "gallery-phone")
    _shot(_page(browser, home, run, "#/family", DESK, color_scheme="dark"), "family")


def _seven() -> bytes:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[6:16, 12:52] = 240
    for row in range(16, 60):
        across = 44 - (row - 16) // 2
        pixels[row, across : across + 9] = 240
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getvalue()


def _page(browser: Browser, home: str, run: str, place: str, size: tuple[int, int], **more: Any) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, **more)
    page.add_init_script(f"sessionStorage.setItem('run', '{run}')")
    page.goto(home + place)
    page.locator("main h1").wait_for()
    return page


def _shot(page: Page, name: str) -> None:
    time.sleep(SETTLED)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(PLACE / f"{name}.png", optimize=True)
    page.context.close()


if __name__ == "__main__":
    main()
