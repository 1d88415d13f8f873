"""How soon a picture follows a hand: a 64-pixel generator dragged in a browser, from the event to the painted frame.

Run by hand: ``python benchmarks/studio.py`` (Debian's chromium, Playwright). Prints the median, the 90th percentile and the
frames per second of a drag over the map. The generator is trained for a few steps on noise: its weights do not
matter to the time it takes.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import uvicorn
from playwright.sync_api import Page, sync_playwright

import tvir
from tvir.studio.atelier import Atelier
from tvir.studio.guard import Door
from tvir.studio.server import create_app

SIDE = 64
SECONDS = 6.0

# Every pointer event is stamped; the frame that shows it is taken as painted at the next animation frame after its
# pixels were put into the canvas.
DRAG = """async (seconds) => {
  const explore = document.querySelector('tvir-explore');
  const live = explore.live;
  const latencies = [];
  const asked = live.show.bind(live);
  let last = performance.now();
  live.show = (point) => { point.stamp = last; asked(point); };
  const send = live.socket.send.bind(live.socket);
  let stamp = 0;
  const next = live.next.bind(live);
  live.next = () => { if (live.waiting) { stamp = live.waiting.point.stamp ?? last; delete live.waiting.point.stamp; } next(); };
  live.painted = () => { const began = stamp; requestAnimationFrame(() => latencies.push(performance.now() - began)); };
  const map = document.querySelector('.map');
  const box = map.getBoundingClientRect();
  const fire = (kind, angle) => {
    last = performance.now();
    map.dispatchEvent(new PointerEvent(kind, { bubbles: true, pointerId: 1, button: 0, buttons: 1,
      clientX: box.left + box.width * (0.5 + 0.3 * Math.cos(angle)), clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(angle)) }));
  };
  map.setPointerCapture = () => {};
  const begun = performance.now();
  fire('pointerdown', 0);
  await new Promise((done) => {
    const step = () => {
      const passed = performance.now() - begun;
      if (passed > 1000 * seconds) { done(); return; }
      fire('pointermove', passed / 400);
      setTimeout(step, 8);
    };
    step();
  });
  fire('pointerup', 0);
  await new Promise((done) => setTimeout(done, 300));
  return { latencies, seconds: (performance.now() - begun - 300) / 1000 };
}"""


def main() -> None:
    """Train, serve, drag, print."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        noise = np.random.default_rng(0).integers(0, 256, (96, SIDE, SIDE, 3), dtype=np.uint8)
        np.savez(place / "noise.npz", images=noise)
        tvir.train("gan", str(place / "noise.npz"), budget="4steps", out=place / "run")
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        atelier = Atelier.at(place / "studio", [place / "run"], [], place / "trained")
        app = create_app(atelier, Door(port=port))
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
        threading.Thread(target=server.run, daemon=True).start()
        while not server.started:
            time.sleep(0.05)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/")
            page.locator(".direction").first.wait_for(timeout=120_000)
            time.sleep(2)
            for number in range(3):
                _tell(number, page)
            browser.close()
        server.should_exit = True


def _tell(number: int, page: Page) -> None:
    seen = page.evaluate(DRAG, SECONDS)
    latencies = sorted(seen["latencies"])
    median, late = statistics.median(latencies), latencies[int(0.9 * len(latencies))]
    rate = len(latencies) / seen["seconds"]
    print(f"drag {number + 1}: median {median:.1f} ms, p90 {late:.1f} ms, {rate:.1f} frames/s")
    page.reload()
    page.locator(".direction").first.wait_for()
    time.sleep(1)


if __name__ == "__main__":
    main()
