"""Trainings from the page: what may be learned, starting, watching, stopping, going on, judging."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from studio_trial import opened, png

import tvir
from tvir.contracts.run import RunFolder
from tvir.workflows.locking import alone, holder

SMALL = {"width": "2", "latent": "4", "batch_size": "16"}


@pytest.fixture
def studio(tmp_path):
    atelier, client = opened(tmp_path)
    yield client
    atelier.close()


def form(**changes):
    return {"model": "vae", "data": "built-in:digits", "budget": "12steps", "settings": SMALL, **changes}


def wait(client, run, wanted, seconds=120):
    """The run once it is in one of some states."""
    end = time.monotonic() + seconds
    while True:
        found = next((one for one in client.get("/api/learning/runs").json() if one["id"] == run), {"state": "?"})
        if found["state"] in wanted:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_settings_and_data_are_read_off_the_models_and_sources(studio):
    choices = studio.get("/api/learning/choices").json()
    assert [choice["id"] for choice in choices["data"]] == ["built-in:digits", "built-in:grid25", "built-in:ring8"]
    assert {"vae": ["image", "vector"]}.items() <= {m["name"]: sorted(m["kinds"]) for m in choices["models"]}.items()
    settings = {one["name"]: one for one in studio.get("/api/learning/models/gan").json()}
    assert settings["width"]["main"]
    assert settings["width"]["about"].startswith("Size of the networks")
    assert "r1" in settings["regulariser"]["options"]
    recipe = {one["name"]: one["default"] for one in studio.get("/api/learning/models/lsgan").json()}
    assert recipe["loss"] == "least-squares"
    assert studio.get("/api/learning/models/nothing").status_code == 422
    ours = {one["name"]: one["about"] for one in studio.get("/api/learning/models/gan?language=uk").json()}
    assert ours["width"].startswith("Розмір мереж")
    assert studio.get("/api/learning/models/gan?language=xx").status_code == 422


def test_a_form_is_checked_as_the_command_line_checks_it(studio):
    checked = studio.post("/api/learning/check", json=form(settings={"beta": "2", "likelihood": "bernoulli"}))
    assert checked.json()["command"] == (
        "tvir train vae --data digits --budget 12steps --seed 0 --beta 2.0 --likelihood bernoulli"
    )
    for wrong, said in (
        ({"settings": {"beta": "many"}}, "beta"),
        ({"settings": {"breadth": "3"}}, "there is no setting 'breadth'"),
        ({"budget": "soon"}, "is no budget"),
        ({"model": "vea"}, "did you mean"),
    ):
        assert said in studio.post("/api/learning/check", json=form(**wrong)).json()["wrong"]
        answer = studio.post("/api/learning/runs", json=form(**wrong))
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
    assert studio.get("/api/learning/runs").json() == []


def test_only_data_that_is_offered_can_be_learned(tmp_path):
    folder = tmp_path / "data"
    (folder / "cats").mkdir(parents=True)
    (folder / "cats" / "one.png").write_bytes(png(np.zeros((8, 8, 3), np.uint8)))
    (folder / "poems.txt").write_text("one\ntwo\n")
    (folder / "notes.exe").write_text("no data")
    (tmp_path / "secret.txt").write_text("secret\n")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    atelier, client = opened(tmp_path, data=folder)
    found = {choice["id"]: choice["kind"] for choice in client.get("/api/learning/choices").json()["data"]}
    assert {name: kind for name, kind in found.items() if name.startswith("folder:")} == {
        "folder:cats": "image", "folder:poems.txt": "text",
    }  # fmt: skip
    for data in (
        "/etc/passwd",
        "folder:../secret.txt",
        "folder:link.txt",
        "folder:/etc",
        "built-in:hf:a/b",
        "images:0",
    ):
        assert client.post("/api/learning/check", json=form(data=data)).status_code == 404, data
    atelier.close()


@pytest.mark.slow
def test_a_training_is_started_watched_stopped_and_gone_on_with(studio, tmp_path):
    started = studio.post("/api/learning/runs", json=form(budget="100000steps")).json()
    run = started["id"]
    wait(studio, run, {"running"})
    busy = [studio.post("/api/learning/runs", json=form(budget="100000steps")).status_code for _ in range(2)]
    assert busy == [201, 503]
    studio.post(f"/api/learning/runs/{run}/stop")
    for one in studio.get("/api/learning/runs").json():
        if one["id"] != run:
            second = one["id"]
            wait(studio, second, {"running", "interrupted"})
            studio.post(f"/api/learning/runs/{second}/stop")
    stopped = wait(studio, run, {"interrupted"})
    assert 0 < stopped["share"] < 1
    wait(studio, second, {"interrupted"})
    path = tmp_path / "trained" / stopped["name"]
    RunFolder(path).update(budget=f"{stopped['step'] + 5}steps")
    assert studio.post(f"/api/learning/runs/{run}/resume").status_code == 202
    wait(studio, run, {"finished"})
    seen = studio.get(f"/api/learning/runs/{run}").json()
    assert [phase["name"] for phase in seen["phases"]] == ["autoencoding"]
    lines = [line for line in RunFolder(path).metrics() if line["losses"]]
    curve = next(curve for curve in seen["curves"] if curve["name"] in lines[-1]["losses"])
    if len(lines) <= 200:
        assert curve["values"][-1] == pytest.approx(lines[-1]["losses"][curve["name"]])
    frame = studio.get(f"/api/learning/runs/{run}/film/{seen['film'][-1]}.png")
    assert frame.content == (path / "samples" / f"{seen['film'][-1]:08d}.png").read_bytes()
    # Another studio knows the same from the folder.
    atelier, again = opened(tmp_path)
    assert again.get(f"/api/learning/runs/{run}").json() == seen
    atelier.close()


@pytest.mark.slow
def test_the_first_training_of_an_empty_studio_can_be_created_with_at_once(studio):
    begun = studio.post("/api/learning/runs", json=form(budget="1s", settings={})).json()
    assert begun["state"] == "preparing"
    assert studio.post(f"/api/learning/runs/{begun['id']}/opened").status_code in (404, 409)
    finished = wait(studio, begun["id"], {"finished"})
    assert (finished["share"], finished["weights"]) == (1.0, True)
    assert finished["losses"]
    assert studio.post(f"/api/learning/runs/{begun['id']}/opened").status_code == 202
    assert [run["id"] for run in studio.get("/api/runs").json()] == [begun["id"]]
    made = studio.post(f"/api/runs/{begun['id']}/pictures", json={"points": [{"seed": 1}]})
    assert made.status_code == 200


@pytest.mark.slow
def test_a_training_that_cannot_begin_says_why(studio):
    run = studio.post("/api/learning/runs", json=form(data="built-in:ring8", model="pixel-cnn", settings={})).json()
    failed = wait(studio, run["id"], {"failed"})
    assert "cannot learn vector data" in failed["said"]


@pytest.mark.slow
def test_a_planned_run_that_breaks_off_before_its_first_step_says_why(runs, tmp_path):
    shutil.copytree(runs / "vae", tmp_path / "trained" / "planned")
    folder = RunFolder(tmp_path / "trained" / "planned")
    folder.update(status="planned")
    record = folder.record_path.read_text("utf-8")
    folder.record_path.write_text(record.replace('"reference": "digits"', '"reference": "nowhere.npz"'), "utf-8")
    atelier, client = opened(tmp_path)
    (run,) = client.get("/api/learning/runs").json()
    assert (run["state"], run["said"]) == ("planned", "")
    assert client.post(f"/api/learning/runs/{run['id']}/resume").json()["state"] == "preparing"
    assert "nowhere.npz" in wait(client, run["id"], {"failed"})["said"]
    atelier.close()


@pytest.mark.slow
def test_whoever_trains_a_run_is_seen_and_can_be_stopped_once(runs, tmp_path):
    words = ["train", "vae", "--data", "digits", "--budget", "100000steps", "--width", "2", "--latent", "4"]
    elsewhere = subprocess.Popen([sys.executable, "-m", "tvir", *words, "--out", str(tmp_path / "trained" / "run")])
    atelier, client = opened(tmp_path, [runs / "gan"])
    end = time.monotonic() + 90
    while not any(one["state"] == "running" for one in client.get("/api/learning/runs").json()):
        assert time.monotonic() < end
        time.sleep(0.2)
    run = client.get("/api/learning/runs").json()[0]
    for _ in range(3):  # a second signal would end it before it has saved
        assert client.post(f"/api/learning/runs/{run['id']}/stop").status_code == 202
    assert elsewhere.wait(60) == 128 + signal.SIGTERM
    assert wait(client, run["id"], {"interrupted"})["weights"]
    atelier.close()


def test_a_run_whose_process_was_killed_is_not_called_running(runs, tmp_path):
    shutil.copytree(runs / "vae", tmp_path / "trained" / "killed")
    folder = RunFolder(tmp_path / "trained" / "killed")
    folder.update(status="running")
    atelier, client = opened(tmp_path)
    assert [one["state"] for one in client.get("/api/learning/runs").json()] == ["interrupted"]
    with alone(folder):
        assert holder(folder).process == os.getpid()
        assert [one["state"] for one in client.get("/api/learning/runs").json()] == ["running"]
        run = client.get("/api/learning/runs").json()[0]["id"]
        assert client.post(f"/api/learning/runs/{run}/resume").json()["code"] == "already-trained"
    assert holder(folder) is None
    atelier.close()


@pytest.mark.slow
def test_a_training_ends_and_saves_when_the_studio_is_killed(tmp_path):
    order = (
        "import sys, time\nfrom pathlib import Path\nfrom tvir.studio.trainings import Order, Trainings\n"
        f"trainings = Trainings(Path({str(tmp_path)!r}))\n"
        f"trainings.begin(Order(model='vae', data='digits', budget='100000steps', settings={SMALL!r}))\n"
        "print('begun', flush=True)\ntime.sleep(600)\n"
    )
    studio = subprocess.Popen([sys.executable, "-c", order], stdout=subprocess.PIPE)
    assert studio.stdout.readline() == b"begun\n"
    folder = RunFolder(tmp_path / "vae-digits-1")
    end = time.monotonic() + 90
    while not (folder.metrics_path.exists() and folder.metrics_path.stat().st_size):
        assert time.monotonic() < end
        time.sleep(0.1)
    studio.kill()
    studio.wait()
    while holder(folder) is not None:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert folder.read().status == "interrupted"
    assert tvir.load(folder.path).model is not None


def test_a_set_of_images_changes_in_steps_and_is_learned_as_it_was(studio, tmp_path):
    images = studio.post("/api/images", json={"name": "Squares"}).json()["id"]
    pictures = [np.random.default_rng(n).integers(0, 256, (12, 12, 3), np.uint8) for n in range(12)]

    def add(pixels, name, **settings):
        body = png(pixels, **settings)
        return studio.post(
            f"/api/images/{images}/pictures", params={"name": name}, content=body, headers={"content-type": "image/png"}
        )

    added = [add(pixels, f"{number}.png").json() for number, pixels in enumerate(pictures)]
    assert all(one["known_as"] is None for one in added)
    assert add(pictures[3], "../../again.png", compress_level=0).json()["known_as"] == "3.png"
    refused = studio.post(
        f"/api/images/{images}/pictures", content=b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        headers={"content-type": "image/svg+xml"},
    )  # fmt: skip
    assert refused.json()["code"] == "not-a-picture"
    first = studio.post("/api/learning/check", json=form(data=f"images:{images}")).json()["command"]
    studio.post(f"/api/images/{images}/taken-out", json={"addresses": [added[0]["address"]]})
    second = studio.post("/api/learning/check", json=form(data=f"images:{images}")).json()["command"]
    assert first != second
    folders = sorted((tmp_path / "studio" / "data").iterdir())
    assert sorted(len(list(folder.iterdir())) for folder in folders) == [11, 12]
    assert studio.post("/api/undo").json()["turned"] == "remove-image"
    assert studio.post("/api/learning/check", json=form(data=f"images:{images}")).json()["command"] == first
    assert studio.get(f"/api/images/pictures/{added[0]['address']}").headers["content-type"] == "image/png"
    assert studio.get("/api/images/pictures/" + "0" * 32).status_code == 404


def test_a_run_can_be_fine_tuned_on_pictures_with_its_own_model_alone(runs, tmp_path):
    atelier, client = opened(tmp_path, [runs / "vae"])
    source = client.get("/api/learning/runs").json()[0]
    images = client.post("/api/images", json={"name": "New"}).json()["id"]
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)
        client.post(
            f"/api/images/{images}/pictures", content=png(pixels), headers={"content-type": "image/png"}
        )  # fmt: skip
    asked = form(data=f"images:{images}", budget="2steps", settings={}, start_from=source["id"])
    assert "--start-from" in client.post("/api/learning/check", json=asked).json()["command"]
    assert "cannot start from" in client.post("/api/learning/check", json={**asked, "model": "gan"}).json()["wrong"]
    atelier.close()
