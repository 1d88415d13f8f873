import io

import numpy as np
from PIL import Image
from starlette.testclient import TestClient
from studio_trial import HOME, PORT, read_frame

import tvir
from tvir.studio.atelier import Atelier
from tvir.studio.guard import Door
from tvir.studio.server import create_app
from tvir.studio.works import Draft


def test_a_kept_work_is_what_its_model_makes_of_it(client, keep, runs):
    work = keep(seed=4)
    picture = Image.open(io.BytesIO(client.get(f"/api/works/{work['id']}/picture").content))
    assert np.array_equal(np.asarray(picture), tvir.load(runs / "vae").sample(1, seed=4)[0, :, :, 0])
    assert work["kept"]
    assert work["own"]
    assert work["numbers"] == 4


def test_a_work_lives_as_long_as_some_run_has_its_weights_whatever_that_is_called(client, keep, runs, ids, tmp_path):
    work = keep(seed=2)
    assert work["alive"] == ids["vae"]
    import shutil

    shutil.copytree(runs / "vae", tmp_path / "quite another name")
    for named, alive in (([tmp_path / "quite another name"], True), ([runs / "gan"], False)):
        atelier = Atelier.at(tmp_path / "studio", named, [], tmp_path / "trained")
        other = TestClient(create_app(atelier, Door(port=PORT)), base_url=HOME)
        assert (other.get(f"/api/works/{work['id']}").json()["alive"] is not None) == alive
        atelier.close()


def test_works_of_other_weights_are_no_points_of_a_run(client, keep, ids):
    work = keep("gan")
    answer = client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": [{"work": work["id"]}]})
    assert (answer.status_code, answer.json()["code"]) == (409, "other-weights")


def test_several_works_are_kept_and_undone_in_one_action(client, ids):
    form = {"run": ids["vae"], "works": [{"point": {"seed": seed}} for seed in range(3)]}
    assert len(client.post("/api/works", json=form).json()) == 3
    client.post("/api/undo")
    assert client.get("/api/works").json() == []
    client.post("/api/redo")
    assert len(client.get("/api/works").json()) == 3


def test_lineage_names_notes_and_favourites_are_kept(client, keep):
    parent = keep(seed=1)
    child = keep(seed=2, parents=[parent["id"]], origin="bred", settings={"boldness": 0.4})
    assert child["parents"] == [parent["id"]]
    assert child["settings"] == {"boldness": 0.4}
    path = f"/api/works/{child['id']}"
    said = client.patch(path, json={"name": "Мій твір", "note": "<script>alert(1)</script>", "favourite": True}).json()
    assert (said["name"], said["favourite"]) == ("Мій твір", True)
    assert client.patch(path, json={"kept": False}).json()["kept"] is False
    assert [work["id"] for work in client.get("/api/works").json()] == [parent["id"]]
    assert client.post("/api/undo").json()["turned"] == "remove"


def test_works_go_into_collections_and_out(client, keep):
    work = keep()
    collection = client.post("/api/collections", json={"name": "threes"}).json()
    path = f"/api/collections/{collection['id']}"
    assert client.put(f"{path}/works/{work['id']}").status_code == 204
    assert client.get(f"/api/works/{work['id']}").json()["collections"] == [collection["id"]]
    client.delete(f"{path}/works/{work['id']}")
    assert client.get(f"/api/works/{work['id']}").json()["collections"] == []
    assert client.delete(path).status_code == 204
    assert client.get("/api/collections").json() == []
    assert client.put(f"{path}/works/{work['id']}").status_code == 404


def test_favourites_and_collections_are_found_however_old_they_are(client, atelier, keep):
    oldest = keep(seed=1)
    client.patch(f"/api/works/{oldest['id']}", json={"favourite": True})
    collection = client.post("/api/collections", json={"name": "firsts"}).json()["id"]
    client.put(f"/api/collections/{collection}/works/{oldest['id']}")
    atelier.works.keep_all("ada", [Draft(origin="explored", picture=b"png", width=1, height=1)] * 1200)

    def found(query):
        return [work["id"] for work in client.get(f"/api/works?limit=1000&{query}").json()]

    newest = found("")
    assert (len(newest), oldest["id"] in newest) == (1000, False)
    assert found(f"before={newest[-1]}")[-1] == oldest["id"]
    for query in ("favourites=true", f"collection={collection}", f"favourites=true&collection={collection}"):
        assert found(query) == [oldest["id"]]
        assert client.get(f"/api/works/count?{query}").json() == {"works": 1}
    assert client.get("/api/works/count").json() == {"works": 1201}
    assert found("collection=0123456789abcdef") == []
    assert client.get("/api/works?collection=' OR 1").status_code == 422


def test_a_restart_shows_what_was_kept(client, keep, runs, tmp_path):
    work = keep(seed=3)
    atelier = Atelier.at(tmp_path / "studio", [runs / "vae"], [], tmp_path / "trained")
    again = TestClient(create_app(atelier, Door(port=PORT)), base_url=HOME)
    assert again.get(f"/api/works/{work['id']}").json()["id"] == work["id"]
    atelier.close()


def test_models_without_latents_keep_their_seed(client, keep, ids):
    work = keep("pixels", seed=6, origin="sampled")
    assert (work["seed"], work["numbers"], work["alive"]) == (6, 0, ids["pixels"])
    _, rows = read_frame(
        client.post(f"/api/runs/{ids['pixels']}/pictures", json={"points": [{"work": work["id"]}]}).content
    )
    kept = np.asarray(Image.open(io.BytesIO(client.get(f"/api/works/{work['id']}/picture").content)))
    assert np.array_equal(rows[0, :, :, 0], kept)
