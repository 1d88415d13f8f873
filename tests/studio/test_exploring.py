import base64

import numpy as np
import pytest
from studio_trial import live, read_frame

import tvir
from tvir.studio.exploring import chart_of
from tvir.studio.making import Maker


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_runs_say_what_they_can_do(client):
    runs = {run["name"]: run for run in client.get("/api/runs").json()}
    assert runs["vae"]["encodes"]
    assert runs["vae"]["latents"]
    assert not runs["gan"]["encodes"]
    assert len(runs["asked"]["classes"]) == 10
    assert runs["vae"]["classes"] == []
    assert not runs["pixels"]["latents"]
    assert runs["toy"]["kind"] == "vector"


def test_a_frame_is_what_the_model_makes_of_the_latent(client, ids, runs):
    model = tvir.load(runs / "vae").model
    latents = client.post(f"/api/runs/{ids['vae']}/point", json={"seed": 5}).json()["latent"]
    wanted = model.spec.to_rows(model.sample(1, seed=5))
    with live(client, ids["vae"]) as socket:
        socket.send_json({"number": 41, "point": {"latent": latents}})
        number, rows = read_frame(socket.receive_bytes())
    assert number == 41
    assert np.array_equal(rows, wanted)


def test_what_cannot_be_made_is_said_and_the_line_stays_open(client, ids):
    with live(client, ids["vae"]) as socket:
        for number, point in enumerate([{"latent": [0.0]}, {"latent": [1e9] * 4}, {"nonsense": 1}, {}]):
            socket.send_json({"number": number, "point": point})
            assert socket.receive_json()["code"] in ("no-point", "invalid")
        socket.send_text("no json")
        assert socket.receive_json()["code"] == "invalid"
        socket.send_json({"number": 9, "point": {"seed": 1}})
        assert read_frame(socket.receive_bytes())[0] == 9


def test_a_class_changes_the_picture_of_the_same_latent(client, ids):
    points = [{"latent": [0.5] * 4, "condition": condition} for condition in (0, 1, 0)]
    answer = client.post(f"/api/runs/{ids['asked']}/pictures", json={"points": points})
    count, rows = read_frame(answer.content)
    assert count == 3
    assert np.array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[1])
    beyond = client.post(f"/api/runs/{ids['asked']}/point", json={"seed": 0, "condition": 10})
    assert beyond.json()["code"] == "no-class"


def test_models_without_latents_are_asked_by_seed(client, ids, runs):
    _, rows = read_frame(client.post(f"/api/runs/{ids['pixels']}/pictures", json={"points": [{"seed": 3}]}).content)
    assert np.array_equal(rows, tvir.load(runs / "pixels").sample(1, seed=3))
    refused = client.post(f"/api/runs/{ids['pixels']}/pictures", json={"points": [{"latent": [0.0]}]})
    assert refused.json()["code"] == "no-latents"
    assert client.get(f"/api/runs/{ids['pixels']}/chart").json()["numbers"] == 0


def test_data_that_is_no_picture_is_refused_in_words(client, ids):
    answer = client.get(f"/api/runs/{ids['toy']}/chart")
    assert answer.status_code == 422
    assert answer.json()["code"] == "no-pictures"


@pytest.mark.parametrize("name", ["vae", "gan", "asked"])
def test_the_map_holds_the_latents_and_directions_are_unit_vectors(client, ids, name):
    chart = client.get(f"/api/runs/{ids[name]}/chart").json()
    axes = floats(chart["axes"]).reshape(-1, 4)
    assert np.allclose(axes @ axes.T, np.eye(2), atol=1e-5)
    points = floats(chart["points"]).reshape(-1, 2)
    assert len(points) == 600
    assert np.abs(points.mean(axis=0)).max() < 0.5
    vectors = np.stack([floats(direction["vector"]) for direction in chart["directions"]])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert all(direction["low"] < direction["high"] for direction in chart["directions"])
    assert chart["encoded"] == (name == "vae")
    by_class = [direction["towards"] for direction in chart["directions"] if direction["kind"] == "class"]
    assert len(by_class) == (4 if name == "vae" else 0)
    assert set(chart["labels"]) == ({*range(10)} if name == "vae" else {-1})


def test_the_first_direction_changes_most_of_what_a_gan_makes(runs):
    maker = Maker(tvir.load(runs / "gan").model)
    chart = chart_of(maker, lambda: pytest.fail("a GAN has no use for the data"))

    def change(direction):
        step = 0.5 * direction.vector
        from tvir.studio.making import Point

        ends = maker.rows([Point(latent=chart.centre + step), Point(latent=chart.centre - step)]).astype(float)
        return np.square(ends[0] - ends[1]).sum()

    changes = [change(direction) for direction in chart.directions]
    assert changes[0] == max(changes)


def test_directions_of_the_same_weights_are_the_same(runs):
    maker = Maker(tvir.load(runs / "gan").model)
    first, second = (chart_of(maker, lambda: None) for _ in range(2))
    assert np.array_equal(first.directions[0].vector, second.directions[0].vector)
    assert np.array_equal(first.points, second.points)


def test_a_direction_keeps_the_name_it_was_given_and_undo_takes_it_back(client, ids):
    path = f"/api/runs/{ids['gan']}"
    client.put(f"{path}/directions/1", json={"name": "thickness"})
    assert client.get(f"{path}/chart").json()["directions"][1]["name"] == "thickness"
    assert client.post("/api/undo").json()["turned"] == "name-direction"
    assert client.get(f"{path}/chart").json()["directions"][1]["name"] == ""
