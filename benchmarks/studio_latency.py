"""From a moved slider to a painted picture: the studio and a Gradio page, the same generator, in one browser and run.

    pip install --target /tmp/gradio gradio
    python benchmarks/studio_latency.py --gradio /tmp/gradio

Both pages get the same input events of a slider in Debian's chromium. *Answered*: the next event is sent when the frame
of the last one has been painted, which is what a page can do at most. *Dragged*: events come 60 times a second for some
seconds, as from a hand; the studio drops what is late and says how old every painted frame is. *First page*: browsers
that have never been here open the studio; counted are the bytes that arrive, and the time from navigation to the first
painted picture and to the page that can be used: map and sliders are there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

import tvir

SIDE = 64

ANSWERED = """async ([slider, picture, attribute, count]) => {
  const input = document.querySelector(slider), times = [];
  const painted = () => new Promise((done) => {
    const watch = new MutationObserver(async () => {
      watch.disconnect();
      const node = document.querySelector(picture);
      if (node.decode) await node.decode();
      requestAnimationFrame(() => done());
    });
    watch.observe(document.querySelector(picture), { attributes: true, attributeFilter: [attribute] });
  });
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  for (let turn = 0; turn < count; turn += 1) {
    const low = Number(input.min), high = Number(input.max);
    const arrived = painted(), begun = performance.now();
    write.call(input, low + (high - low) * ((0.21 + 0.37 * turn) % 1));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await arrived;
    times.push(performance.now() - begun);
  }
  return times;
}"""

DRAGGED = """async (seconds) => {
  const explore = document.querySelector("tvir-explore"), input = document.querySelector("#direction-0");
  const ages = [];
  const watch = new MutationObserver(() => ages.push(Number(explore.dataset.latency)));
  watch.observe(explore, { attributes: true, attributeFilter: ["data-painted"] });
  const begun = performance.now();
  for (let turn = 0; performance.now() - begun < 1000 * seconds; turn += 1) {
    input.value = Number(input.min) + (input.max - input.min) * (0.5 + 0.45 * Math.sin(turn / 20));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 1000 / 60));
  }
  watch.disconnect();
  return [ages, performance.now() - begun];
}"""

FIRST = """() => {
  window.first = {};
  const watch = new MutationObserver(() => {
    const explore = document.querySelector("tvir-explore[data-painted]");
    const slider = document.querySelector("#direction-0");
    for (const [name, there] of [["painted", explore], ["usable", slider]]) {
      if (there && !(name in window.first)) {
        window.first[name] = null;
        requestAnimationFrame(() => { window.first[name] = performance.now(); });
      }
    }
  });
  watch.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-painted"] });
}"""

GRADIO = """
import sys
import gradio, torch, tvir
model = tvir.load(sys.argv[1]).model
torch.set_num_threads(2)
latent = torch.zeros(1, *model.latent_shape)
def show(value):
    latent[0, 0] = value
    with torch.inference_mode():
        made = model.decode(latent)[0]
    return ((made + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
with gradio.Blocks() as page:
    slider = gradio.Slider(-3, 3, value=0, step=0.01)
    image = gradio.Image(show(0), elem_id="picture", format="png")
    slider.input(show, slider, image, show_progress="hidden", trigger_mode="always_last")
page.launch(server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)
"""


def main() -> None:
    """Train a generator for a moment, serve it twice and drag."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradio", type=Path, help="folder that gradio was installed into with pip --target")
    parser.add_argument("--count", type=int, default=150, help="answered events")
    parser.add_argument("--visits", type=int, default=9, help="of browsers that have never been here")
    parser.add_argument("--seconds", type=float, default=8.0, help="of dragging")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = generator(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        command = [sys.executable, "-m", "tvir", "studio", str(run), "--studio", f"{folder}/studio", "--port"]
        with served(command) as url:
            _tell_first_pages(browser, url, asked.visits)
            page = browser.new_page()
            page.goto(url)
            page.locator("#direction-0").wait_for(timeout=60_000)
            page.wait_for_timeout(1000)
            for name, share in (("warming up", 0.2), ("tvir studio, answered", 1.0)):
                _tell(name, _answered(page, "#direction-0", "tvir-explore", "data-painted", int(share * asked.count)))
            ages, took = page.evaluate(DRAGGED, asked.seconds)
            _tell("tvir studio, dragged", ages)
            print(f"{'':28} {1000 * len(ages) / took:.1f} frames/s")
            page.close()
        if asked.gradio is not None:
            script = Path(folder) / "page.py"
            script.write_text(GRADIO, "utf-8")
            search = os.pathsep.join([str(Path(tvir.__file__).parents[1]), str(asked.gradio)])
            alone = {"PYTHONPATH": search, "GRADIO_ANALYTICS_ENABLED": "False"}
            with served([sys.executable, str(script), str(run)], **alone) as url:
                page = browser.new_page()
                # Its fonts come from elsewhere, and are not waited for.
                page.goto(url, wait_until="domcontentloaded")
                page.locator("#picture img").wait_for(timeout=60_000)
                page.wait_for_timeout(1000)
                for name, share in (("warming up", 0.2), ("gradio, answered", 1.0)):
                    _tell(name, _answered(page, "input[type=range]", "#picture img", "src", int(share * asked.count)))
        browser.close()


def generator(folder: Path) -> Path:
    """A run whose pictures are 64 pixels wide; what it has learned does not matter to the time it takes."""
    images = np.random.default_rng(0).integers(0, 256, (128, SIDE, SIDE, 3), dtype=np.uint8)
    np.savez(folder / "images.npz", images=images)
    return tvir.train("gan", str(folder / "images.npz"), budget="3steps", out=folder / "gan").path


def _tell_first_pages(browser: Browser, url: str, visits: int) -> None:
    """The first of all, for which the server reads the model and looks for directions, and the median of the others."""
    seen = [_first_page(browser, url) for _ in range(1 + max(3, visits))]
    for name, some in (("first page, very first", seen[:1]), (f"first page, {len(seen) - 1} others", seen[1:])):
        pages, answers, painted, usable = (statistics.median(values) for values in zip(*some, strict=True))
        print(
            f"{name:28} {pages / 1000:.1f} kB of page, {answers / 1000:.1f} kB of answers; "
            f"painted after {painted:.0f} ms, usable after {usable:.0f} ms",
            flush=True,
        )


def _first_page(browser: Browser, url: str) -> tuple[int, int, float, float]:
    """Bytes of the page's files and of the server's answers, milliseconds to the first picture and to a usable page."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(f"({FIRST})()")
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    answers: set[str] = set()
    taken = {True: 0, False: 0}

    def begun(told: dict[str, Any]) -> None:
        if "/api/" in told["response"]["url"]:
            answers.add(told["requestId"])

    def finished(told: dict[str, Any]) -> None:
        taken[told["requestId"] in answers] += int(told["encodedDataLength"])

    line.on("Network.responseReceived", begun)
    line.on("Network.loadingFinished", finished)
    page.goto(url)
    while len(first := page.evaluate("window.first")) < 2 or None in first.values():
        page.wait_for_timeout(50)
    context.close()
    return taken[False], taken[True], first["painted"], first["usable"]


def _answered(page: Page, slider: str, picture: str, attribute: str, count: int) -> list[float]:
    return page.evaluate(ANSWERED, [slider, picture, attribute, max(5, count)])


def _tell(name: str, milliseconds: Sequence[float]) -> None:
    middle, ninth = statistics.median(milliseconds), statistics.quantiles(milliseconds, n=10)[-1]
    print(f"{name:28} median {middle:6.1f} ms, p90 {ninth:6.1f} ms over {len(milliseconds)} frames", flush=True)


@contextmanager
def served(command: Sequence[str], **environment: str) -> Iterator[str]:
    """A server in a process of its own, given a free port as its last argument."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        yield _awaited(f"http://127.0.0.1:{port}/", process)
    finally:
        process.terminate()
        process.wait(10)


def _awaited(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"the server at {url} ended by itself") from None
            time.sleep(0.1)
        else:
            return url
    raise SystemExit(f"there is no answer from {url}")


if __name__ == "__main__":
    main()
