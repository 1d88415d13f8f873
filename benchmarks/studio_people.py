"""Many people exploring at once: does the studio answer all of them, how soon, and does its memory stay where it is?

    python benchmarks/studio_people.py --people 20 --minutes 10

Everybody holds a WebSocket of one 64-pixel generator as the page does: one point is out at a time, and the next is sent
a thirtieth of a second after the frame came. Time is from sending a point to having its frame.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import websockets
from studio_latency import generator, served

import tvir
from tvir.contracts.model import DecodesLatents

_PAUSE = 1 / 30


async def explore(url: str, run: str, numbers: int, until: float, person: int) -> tuple[list[float], int]:
    """Seconds of every answered point, and how many were answered with a reason in place of a frame."""
    random_numbers = random.Random(person)
    place = [random_numbers.gauss(0, 1) for _ in range(numbers)]
    taken, refused = [], 0
    address = f"{url.replace('http', 'ws')}api/runs/{run}/live"
    # Each is somebody to the studio, which bounds the connections of one person.
    with urllib.request.urlopen(url) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    opened = websockets.connect(
        address, origin=websockets.Origin(url.rstrip("/")), max_size=2**24, additional_headers={"Cookie": cookie}
    )
    async with opened as socket:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            place[turn % numbers] = 2 * math.sin(turn / 10 + person)
            begun = time.monotonic()
            await socket.send(json.dumps({"number": turn, "point": {"latent": place}}))
            answer = await socket.recv()
            taken.append(time.monotonic() - begun)
            if isinstance(answer, str):
                refused += 1
            else:
                assert struct.unpack("<I", answer[:4])[0] == turn
            await asyncio.sleep(_PAUSE)
    return taken, refused


async def everybody(url: str, run: str, numbers: int, people: int, seconds: float) -> tuple[list[float], int]:
    """All of them at once."""
    until = time.monotonic() + seconds
    found = await asyncio.gather(*(explore(url, run, numbers, until, person) for person in range(people)))
    return [second for taken, _ in found for second in taken], sum(refused for _, refused in found)


def resident(port: int) -> int:
    """Bytes in memory of the process that was given this port."""
    listed = subprocess.run(["pgrep", "-f", f"tvir studio .*{port}"], capture_output=True, text=True, check=True)
    status = Path(f"/proc/{listed.stdout.split()[0]}/statm").read_text("ascii")
    return int(status.split()[1]) * os.sysconf("SC_PAGESIZE")


def main() -> None:
    """Serve a generator, let people in, and tell what they met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = generator(Path(folder))
        model = tvir.load(run).model
        assert isinstance(model, DecodesLatents)
        numbers = math.prod(model.latent_shape)
        command = [sys.executable, "-m", "tvir", "studio", str(run), "--studio", f"{folder}/studio", "--port"]
        with served(command) as url:
            port = int(url.rstrip("/").rpartition(":")[2])
            with urllib.request.urlopen(f"{url}api/runs") as answer:
                (listed,) = json.load(answer)
            asyncio.run(everybody(url, listed["id"], numbers, asked.people, 5))
            before = resident(port)
            for part in range(1, 5):
                taken, refused = asyncio.run(everybody(url, listed["id"], numbers, asked.people, 15 * asked.minutes))
                _tell(f"quarter {part}", taken, refused, resident(port) - before)
            print(
                f"{asked.people} people, {asked.minutes:g} minutes; {before / 2**20:.0f} MB in memory after 5 seconds"
            )


def _tell(name: str, taken: Sequence[float], refused: int, grown: int) -> None:
    points = statistics.quantiles(taken, n=20)
    print(
        f"{name}: {len(taken):,} frames, {refused} refused, median {1000 * statistics.median(taken):.0f} ms, "
        f"p95 {1000 * points[-1]:.0f} ms, slowest {1000 * max(taken):.0f} ms, {grown / 2**20:+.1f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main()
