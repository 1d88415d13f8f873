"""Many people explore one model at once: python benchmarks/studio_crowd.py RUN [SECONDS [PEOPLE]].

Each has a connection of their own and asks ten times a second, always for another place. Prints answers, errors, times
and the memory of the server at the start and at the end.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

PER_SECOND = 10


def main() -> None:
    """Serve, let them in, print."""
    run, seconds, people = sys.argv[1], float((*sys.argv, "60")[2]), int((*sys.argv[1:], "60", "20")[2])
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tvir", "studio", run, "--port", str(port), "--studio", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            asyncio.run(_crowd(server.pid, port, seconds, people))
        finally:
            server.terminate()
            server.wait()


async def _crowd(process: int, port: int, seconds: float, people: int) -> None:
    home = f"http://127.0.0.1:{port}"
    run = await _ready(home)
    await asyncio.gather(*(_explore(home, run, 2, number) for number in range(people)))
    before = _memory(process)
    answers = await asyncio.gather(*(_explore(home, run, seconds, number) for number in range(people)))
    times = sorted(taken for own, _ in answers for taken in own)
    errors = sum(own for _, own in answers)
    p95 = times[int(0.95 * len(times))]
    print(f"{people} people, {seconds:.0f} s: {len(times)} frames, {errors} errors")
    print(f"median {times[len(times) // 2]:.1f} ms, p95 {p95:.1f} ms, longest {times[-1]:.1f} ms")
    print(f"memory {before:.0f} MB at the start, {_memory(process):.0f} MB at the end")


async def _ready(home: str) -> str:
    async with httpx.AsyncClient(base_url=home, timeout=60) as client:
        for _ in range(600):
            try:
                run = (await client.get("/api/runs")).json()[0]["id"]
                await client.get(f"/api/runs/{run}/chart")
                return run
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
    raise SystemExit("the studio does not answer")


async def _explore(home: str, run: str, seconds: float, number: int) -> tuple[list[float], int]:
    async with httpx.AsyncClient(base_url=home) as client:
        cookie = "; ".join(f"{name}={value}" for name, value in (await client.get("/")).cookies.items())
        size = len((await client.post(f"/api/runs/{run}/point", json={"seed": 0})).json()["latent"])
    times, errors, end = [], 0, time.monotonic() + seconds
    place = f"{home.replace('http', 'ws')}/api/runs/{run}/live"
    async with connect(place, origin=home, additional_headers={"Cookie": cookie}, max_size=None) as line:
        while (begun := time.monotonic()) < end:
            latent = [math.sin(begun + number + index) for index in range(size)]
            await line.send(json.dumps({"number": 1, "point": {"latent": latent}}))
            answer = await line.recv()
            taken = time.monotonic() - begun
            times.append(1000 * taken)
            errors += isinstance(answer, str)
            await asyncio.sleep(max(0.0, 1 / PER_SECOND - taken))
    return times, errors


def _memory(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
