import numpy as np
import pytest
from studio_trial import read_frame

import tvir
from tvir.studio.evolving import blended, children, walk_through
from tvir.studio.making import Maker, Point
from tvir.studio.refusal import RefusalError


@pytest.fixture(scope="module")
def maker(runs):
    return Maker(tvir.load(runs / "gan").model)


def point(*numbers):
    return Point(latent=np.array(numbers, np.float32))


PARENTS = [point(1, 2, 3, 4), point(-1, -2, -3, -4)]


def test_without_boldness_children_are_made_of_their_parents_numbers(maker):
    born = children(maker, PARENTS, 20, boldness=0, crossover=1, seed=1)
    assert all(np.array_equal(np.abs(child.latent), [1, 2, 3, 4]) for child in born)
    assert len({tuple(child.latent) for child in born}) > 8


def test_without_crossover_each_child_has_one_parent(maker):
    born = children(maker, PARENTS, 20, boldness=0, crossover=0, seed=1)
    assert {tuple(child.latent) for child in born} == {tuple(parent.latent) for parent in PARENTS}


def test_the_boldest_children_are_strangers_whoever_their_parents_are(maker):
    here, there = (children(maker, [parent], 9, boldness=1, crossover=0.5, seed=3) for parent in PARENTS)
    assert np.allclose([child.latent for child in here], [child.latent for child in there], atol=1e-5)


def test_bolder_children_lie_further_from_their_parent(maker):
    def away(boldness):
        born = children(maker, PARENTS[:1], 50, boldness=boldness, crossover=0, seed=5)
        return np.mean([np.linalg.norm(child.latent - PARENTS[0].latent) for child in born])

    assert away(0.1) < away(0.4) < away(0.9)


def test_children_of_gaussian_parents_are_gaussian(maker):
    parents = [Point(latent=latent) for latent in maker.drawn(8, 11)]
    born = np.stack(
        [child.latent for seed in range(300) for child in
         children(maker, [Point(latent=latent) for latent in maker.drawn(2, 50_000 + seed)], 4,
                  boldness=0.5, crossover=0.5, seed=seed)]
    )  # fmt: skip
    assert len(parents) == 8
    assert np.abs(born.mean(axis=0)).max() < 0.15
    assert np.abs(born.std(axis=0) - 1).max() < 0.12


def test_a_litter_is_the_same_for_the_same_seed(client, ids, keep):
    form = {"parents": [{"work": keep("gan")["id"]}], "seed": 8, "boldness": 0.4}
    path = f"/api/runs/{ids['gan']}/litter"
    first = client.post(path, json=form).json()
    assert len(first) == 9
    assert client.post(path, json=form).json() == first
    assert client.post(path, json={**form, "seed": 9}).json() != first


def test_models_without_latents_breed_by_seeds(client, ids):
    born = client.post(f"/api/runs/{ids['pixels']}/litter", json={"parents": [{"seed": 1}], "count": 3}).json()
    assert len({child["seed"] for child in born}) == 3


def test_children_inherit_a_class(client, ids):
    parents = [{"seed": 1, "condition": 3}, {"seed": 2, "condition": 8}]
    born = client.post(f"/api/runs/{ids['asked']}/litter", json={"parents": parents, "count": 32}).json()
    assert {child["condition_name"] for child in born} == {"3", "8"}


def test_a_blend_has_the_class_of_the_nearest_work_unless_another_is_asked_for(client, ids, keep):
    ends = [keep("asked", point={"seed": seed, "condition": condition}) for seed, condition in ((1, 3), (2, 8))]
    blend = {"works": [end["id"] for end in ends], "weights": [0.3, 0.7]}

    def picture(**more):
        return client.post(f"/api/runs/{ids['asked']}/pictures", json={"points": [{"blend": blend, **more}]}).content

    def point(**more):
        return client.post(f"/api/runs/{ids['asked']}/point", json={"blend": blend, **more}).json()

    assert [point(**more)["condition_name"] for more in ({}, {"condition": None}, {"condition": 5})] == ["8", "8", "5"]
    assert point(condition=5)["latent"] == point()["latent"]
    assert picture() == picture(condition=8) != picture(condition=5)
    kept = keep("asked", point={"blend": blend, "condition": 5}, origin="blended", parents=blend["works"])
    assert kept["condition_name"] == "5"


def test_a_blend_of_all_weight_on_one_work_is_that_work():
    works = [point(1, 2, 3, 4), point(4, 3, 2, 1), point(0, -1, 5, 2), point(2, 2, -2, 2)]
    for chosen, work in enumerate(works):
        weights = [float(index == chosen) for index in range(4)]
        assert np.allclose(blended(works, weights).latent, work.latent, atol=1e-6)


def test_a_blend_keeps_the_length_that_its_works_have_in_common():
    works = [point(3, 0, 0, 0), point(0, 3, 0, 0), point(0, 0, 3, 0)]
    assert np.linalg.norm(blended(works, [1, 1, 1]).latent) == pytest.approx(3)
    assert np.allclose(blended(works[:2], [1, 1]).latent, [3 / 2**0.5, 3 / 2**0.5, 0, 0])


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [1]])
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises(RefusalError):
        blended(PARENTS, weights)


def test_a_walk_passes_its_stations_in_even_steps():
    stations = [point(1, 0, 0, 0), point(0, 1, 0, 0), point(0, 0, 1, 0)]
    walk = np.stack([step.latent for step in walk_through(stations, 9)])
    for index, station in zip((0, 4, 8), stations, strict=True):
        assert np.allclose(walk[index], station.latent, atol=1e-6)
    steps = np.linalg.norm(np.diff(walk, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.1
    assert np.allclose(np.linalg.norm(walk, axis=1), 1)


def test_a_walk_that_stands_still_is_no_error():
    walk = walk_through([point(1, 1, 1, 1)] * 2, 4)
    assert all(np.array_equal(step.latent, [1, 1, 1, 1]) for step in walk)


def test_a_blend_of_works_is_shown_and_kept_alike(client, ids, keep):
    works = [keep(seed=seed)["id"] for seed in (1, 2, 3)]
    blend = {"blend": {"works": works, "weights": [0.5, 0.25, 0.25]}}
    _, rows = read_frame(client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": [blend]}).content)
    form = {"run": ids["vae"], "works": [{"point": blend, "origin": "blended", "parents": works}]}
    work = client.post("/api/works", json=form).json()[0]
    again = client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": [{"work": work["id"]}]}).content
    assert np.array_equal(read_frame(again)[1], rows)
    assert work["parents"] == works
