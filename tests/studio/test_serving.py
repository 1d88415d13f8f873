import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tvir.contracts.errors import UsageError
from tvir.studio.server import open_studio
from tvir.studio.shelf import Place, Shelf


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def started(folder, *more):
    """A studio in a process of its own, and the link it printed."""
    command = [sys.executable, "-u", "-m", "tvir", "studio", "--port", str(free_port()), *more]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    link = re.search(r"http://\S+", process.stdout.readline()).group()
    for _ in range(600):
        try:
            httpx.get(link)
            return process, link
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError("it does not answer")


@pytest.mark.slow
def test_the_command_serves_the_page_prints_its_link_and_ends_when_asked(runs, tmp_path):
    process, link = started(tmp_path, str(runs / "vae"), "--studio", str(tmp_path / "kept"))
    assert "tvir studio" in httpx.get(link).text
    assert [run["name"] for run in httpx.get(link + "api/runs").json()] == ["vae"]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (0, 130)
    assert (tmp_path / "kept" / "works.sqlite").exists()


def test_the_page_travels_packed_to_browsers_that_unpack_it(client):
    packed = client.get("/pages/words/uk.json", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/pages/words/uk.json", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    assert packed.content == plain.content


def test_what_cannot_be_served_is_said_before_anything_is_written(runs, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="try another --port"):
            open_studio([runs / "vae"], folder=tmp_path / "studio", port=port)
    with pytest.raises(UsageError, match=r"no run\.json"):
        open_studio([tmp_path], folder=tmp_path / "studio")
    with pytest.raises(UsageError, match="is no port"):
        open_studio([], folder=tmp_path / "studio", port=70_000)
    assert not (tmp_path / "studio").exists()


def test_runs_are_found_below_a_folder_but_not_behind_links_or_too_deep(runs, tmp_path):
    place = tmp_path / "place"
    (place / "comparison").mkdir(parents=True)
    import shutil

    shutil.copytree(runs / "vae", place / "comparison" / "vae")
    (place / "link").symlink_to(runs)
    assert [run.path.name for run in Shelf([], [Place(place)]).listed()] == ["vae"]
    assert Shelf([], [Place(place, depth=1)]).listed() == []


def test_a_run_that_learned_on_is_opened_anew(runs, tmp_path, monkeypatch):
    import shutil

    import tvir
    from tvir.studio import shelf

    monkeypatch.setattr(shelf, "_FRESH", 0.0)
    shutil.copytree(runs / "vae", tmp_path / "vae")
    opened = Shelf([tmp_path / "vae"], [])
    first = opened.opened(opened.listed()[0].id)
    tvir.Run(tmp_path / "vae").folder.update(budget="14steps", status="interrupted")
    tvir.resume(tmp_path / "vae")
    second = opened.opened(opened.listed()[0].id)
    assert second.listed.weights != first.listed.weights
    assert second.run is not first.run
    opened.close()
