"""Runs that the studio is tried with, each trained once for a few steps, and a studio of one's own for each test."""

import socket
import threading

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
pytest.importorskip("httpx")
pytest.importorskip("uvicorn")

import uvicorn
from starlette.testclient import TestClient
from studio_trial import CHROMIUM, HOME, PORT, until

import tvir
from tvir.studio.atelier import Atelier
from tvir.studio.guard import Door, Pace
from tvir.studio.server import create_app


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A run of each kind that the studio treats differently; nobody may change them."""
    place = tmp_path_factory.mktemp("studio-runs")
    small = {"width": 2, "latent": 4, "batch_size": 16}
    wanted = {
        "vae": ("vae", "digits"),
        "gan": ("gan", "digits"),
        "asked": ("conditional-gan", "digits"),
        "toy": ("vae", "ring8"),
    }
    for name, (model, data) in wanted.items():
        tvir.train(model, data, budget="12steps", config=small, out=place / name)
    tvir.train(
        "pixel-cnn", "digits", budget="2steps", config={"batch_size": 4, "width": 2, "layers": 1}, out=place / "pixels"
    )
    return place


@pytest.fixture
def atelier(runs, tmp_path):
    opened = Atelier.at(tmp_path / "studio", sorted(runs.iterdir()), [], tmp_path / "trained")
    yield opened
    opened.close()


@pytest.fixture
def client(atelier):
    """A browser that has opened the page."""
    browser = TestClient(create_app(atelier, Door(port=PORT), Pace(1e6, 1e6)), base_url=HOME)
    browser.get("/")
    return browser


@pytest.fixture
def ids(client):
    """Ids of the runs by their names."""
    return {run["name"]: run["id"] for run in client.get("/api/runs").json()}


@pytest.fixture
def keep(client, ids):
    """Keeps a point of a run and gives the work."""

    def kept(run="vae", *, seed=1, **more):
        form = {"run": ids[run], "works": [{"point": {"seed": seed}, **more}]}
        answer = client.post("/api/works", json=form)
        assert answer.status_code == 201, answer.text
        return answer.json()[0]

    return kept


LINES = [f"{who} {does} {what}." for who in ("a cat", "a dog", "the bird") for does in ("sees", "likes", "eats")
         for what in ("the sun", "a fish", "milk", "bread")]  # fmt: skip


@pytest.fixture(scope="session")
def authors(tmp_path_factory):
    """A run of each kind of text that the studio treats differently; nobody may change them."""
    place = tmp_path_factory.mktemp("studio-authors")
    (place / "lines.txt").write_text("\n".join(LINES), "utf-8")
    rows = [f"{'prose' if n % 2 else 'verse'},{line}" for n, line in enumerate(LINES)]
    (place / "labelled.csv").write_text("\n".join(["label,text", *rows]), "utf-8")
    wanted = {
        "reader": ("language-model", {"network": "transformer:width=8,heads=2,layers=1", "batch_size": 8}),
        "poet": ("conditional-language-model", {"network": "lstm:width=8", "batch_size": 8}),
        "unmasker": ("masked-diffusion", {"width": 8, "heads": 2, "layers": 1, "steps": 4, "batch_size": 8}),
        "sentences": ("text-vae", {"latent": 2, "decoder": "recurrent:width=8", "encoder_width": 8, "batch_size": 8}),
    }
    for name, (model, config) in wanted.items():
        data = place / ("labelled.csv" if name == "poet" else "lines.txt")
        tvir.train(model, str(data), budget="4steps", config=config, out=place / "runs" / name)
    return place / "runs"


@pytest.fixture
def writing(authors, tmp_path):
    """A browser that has opened a studio with runs of text, and the ids of the runs."""
    opened = Atelier.at(tmp_path / "studio", sorted(authors.iterdir()), [], tmp_path / "trained")
    browser = TestClient(create_app(opened, Door(port=PORT), Pace(1e6, 1e6)), base_url=HOME)
    browser.get("/")
    yield browser, {run["name"]: run["id"] for run in browser.get("/api/runs").json()}
    opened.close()


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def serve(tmp_path):
    """Serves a studio with some runs in a thread and gives its address."""
    running = []

    def served(named):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        atelier = Atelier.at(tmp_path / "studio", named, [], tmp_path / "trained")
        app = create_app(atelier, Door(port=port), Pace(1e6, 1e6))
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        until(lambda: server.started)
        return f"http://127.0.0.1:{port}/"

    yield served
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def visit(browser, serve, runs):
    """Opens a page of a studio; what the browser complains about fails the test."""
    contexts, complaints, passed = [], [], []

    def visited(*named, at="", language="en-US", size=(1280, 900), paths=None, refused="nothing", **more):
        address = serve([runs / name for name in named] if paths is None else paths)
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=language, accept_downloads=True, **more
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        passed.append(refused)
        page.goto(address + at)
        contexts.append(context)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert [text for text in complaints if not any(expected in text for expected in passed)] == []
