"""Random networks and self-supervised features: reproducible, named by their weights, one image at a time."""

import numpy as np
import pytest
import torch
from synthetic import image_dataset, ring_dataset

from tvir.contracts.noise import mix_seed
from tvir.evaluation.features import random_networks
from tvir.evaluation.features.random_networks import RandomNetworks
from tvir.evaluation.features.self_supervised import SelfSupervised, contrast


def silent(description, done, total):
    pass


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path))


def prepared(extractor, dataset, seed=0):
    return extractor.prepare(dataset, seed=seed, report=silent)


@pytest.fixture
def unlabelled():
    return image_dataset(train=40, labelled=False)


@pytest.mark.parametrize(("extractor", "width"), [(RandomNetworks, 80), (SelfSupervised, 64)])
def test_features_do_not_depend_on_what_else_is_in_the_batch(extractor, width, unlabelled):
    found = prepared(extractor, unlabelled)
    whole = found.features(unlabelled.test.rows)
    assert whole.dtype == np.float32
    assert whole.shape == (200, width)
    assert np.allclose(found.features(unlabelled.test.rows[40:43]), whole[40:43], atol=1e-5)
    assert found.features(unlabelled.test.rows[:0]).shape == (0, width)


def test_random_networks_ignore_every_seed_but_their_own(unlabelled):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = prepared(RandomNetworks, unlabelled)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    second = prepared(RandomNetworks, unlabelled, seed=5)
    assert second.name == first.name
    assert np.array_equal(first.features(unlabelled.test.rows), second.features(unlabelled.test.rows))


def test_other_weights_have_another_name(unlabelled, monkeypatch):
    first = prepared(RandomNetworks, unlabelled)
    monkeypatch.setattr(random_networks, "mix_seed", lambda *parts: mix_seed("other", *parts))
    assert prepared(RandomNetworks, unlabelled).name != first.name


def test_squared_distances_are_the_mean_over_the_five_networks(unlabelled):
    found = prepared(RandomNetworks, unlabelled)
    images = unlabelled.spec.to_model(unlabelled.test.rows[:2])
    networks = [random_networks._network(1, number) for number in range(5)]
    apart = [float((network(images)[0] - network(images)[1]).square().sum()) for network in networks]
    first, second = found.features(unlabelled.test.rows[:2])
    assert ((first - second) ** 2).sum() == pytest.approx(np.mean(apart), rel=1e-4)


def test_random_networks_and_self_supervision_are_for_images_only():
    assert prepared(RandomNetworks, ring_dataset(20)) is None
    assert prepared(SelfSupervised, ring_dataset(20)) is None


def test_labelled_images_and_a_handful_of_images_are_not_learnt_from_without_labels():
    assert prepared(SelfSupervised, image_dataset(train=100)) is None
    assert prepared(SelfSupervised, image_dataset(train=10, labelled=False)) is None


def test_self_supervision_is_reproducible_kept_and_named_by_its_weights(unlabelled, monkeypatch, tmp_path):
    before = torch.random.get_rng_state()
    first, other = prepared(SelfSupervised, unlabelled), prepared(SelfSupervised, unlabelled, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    calls = []
    kept = SelfSupervised.prepare(unlabelled, seed=0, report=lambda *step: calls.append(step))
    assert not calls
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path / "elsewhere"))
    again = prepared(SelfSupervised, unlabelled)
    assert first.name == kept.name == again.name != other.name


def test_the_contrast_is_lowest_where_each_image_finds_its_own_other_view():
    apart = torch.eye(4)
    assert contrast(torch.cat([apart, apart])) < contrast(torch.cat([apart, apart.roll(1, 0)]))
