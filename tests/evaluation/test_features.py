"""Extractors are fitted to the training split, kept between runs, and named by what they are."""

import numpy as np
import pytest
import torch
from synthetic import image_dataset, ring_dataset

from tvir.contracts.cache import cache_directory
from tvir.contracts.data import Dataset, Examples, ImageSpec, VectorSpec
from tvir.evaluation.extractor import LazyFeatures, content_hash, find_extractors
from tvir.evaluation.features.classifier import Classifier
from tvir.evaluation.features.pixels import Pixels, principal_components


def silent(description, done, total):
    pass


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path))


def prepared(extractor, dataset, seed=0):
    return extractor.prepare(dataset, seed=seed, report=silent)


def noise_dataset(height, width, channels, count=40):
    spec = ImageSpec(channels=channels, height=height, width=width, classes=("a", "b"))
    drawing = np.random.default_rng(0)
    rows = drawing.integers(0, 256, size=(count, height, width, channels)).astype(np.uint8)
    examples = Examples(spec, rows, np.arange(count) % 2)
    fingerprint = f"noise-{height}-{width}-{channels}"
    return Dataset(reference="noise", fingerprint=fingerprint, train=examples, validation=examples, test=examples)


def test_pixels_come_first():
    assert find_extractors()[0] is Pixels


def test_vectors_and_small_images_are_left_as_they_are():
    dataset = ring_dataset(20)
    assert np.array_equal(prepared(Pixels, dataset).features(dataset.test.rows), dataset.test.rows)
    small = noise_dataset(4, 5, 3)
    assert prepared(Pixels, small).features(small.test.rows)[3, 7] == pytest.approx(
        small.test.rows.reshape(40, -1)[3, 7] / 255
    )


def test_components_keep_the_distances_of_what_they_explain():
    low = torch.randn(300, 10, generator=torch.Generator().manual_seed(0)) @ torch.randn(10, 90)
    kept = principal_components(low)
    projected = (low - kept["mean"]) @ kept["components"]
    assert torch.allclose(torch.pdist(projected), torch.pdist(low), rtol=1e-3)


def test_components_are_the_same_by_covariance_and_by_gram():
    tall = torch.randn(101, 100, generator=torch.Generator().manual_seed(0)) * torch.linspace(1, 9, 100)
    padded = torch.cat([tall, torch.zeros(101, 200)], 1)
    expected, found = principal_components(tall), principal_components(padded)
    assert torch.allclose(found["components"][:100], expected["components"], atol=1e-3)
    assert not found["components"][100:].any()


def test_features_do_not_depend_on_what_else_is_in_the_batch(own_cache):
    dataset = image_dataset()
    for extractor in (Pixels, Classifier):
        found = prepared(extractor, dataset)
        whole = found.features(dataset.test.rows)
        assert whole.dtype == np.float32
        assert np.allclose(found.features(dataset.test.rows[40:50]), whole[40:50], atol=1e-5)


def test_the_classifier_learns_its_classes_and_is_kept(own_cache):
    dataset = image_dataset()
    first = prepared(Classifier, dataset)
    predicted = first.classify(first.features(dataset.test.rows))
    assert (predicted == dataset.test.labels).mean() > 0.95
    calls = []
    second = Classifier.prepare(dataset, seed=0, report=lambda *step: calls.append(step))
    assert not calls
    assert second.name == first.name
    assert np.array_equal(second.features(dataset.test.rows), first.features(dataset.test.rows))


def test_the_classifier_is_named_by_its_weights(own_cache, monkeypatch, tmp_path):
    dataset = image_dataset(train=100)
    before = torch.random.get_rng_state()
    first, other = prepared(Classifier, dataset), prepared(Classifier, dataset, seed=1)
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path / "elsewhere"))
    again = prepared(Classifier, dataset)
    assert first.name == again.name != other.name
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("damage", [b"", b"not tensors", None])
def test_a_damaged_cache_is_fitted_again(own_cache, damage):
    dataset = image_dataset(train=100)
    name = prepared(Classifier, dataset).name
    (path,) = (cache_directory() / "features").glob("classifier-*")
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    assert prepared(Classifier, dataset).name == name


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path / "file"))
    assert prepared(Pixels, image_dataset(train=80)).name.startswith("pixels-pca64@")


def test_unlabelled_data_has_no_classifier():
    assert prepared(Classifier, image_dataset(train=50, labelled=False)) is None


def test_examples_without_a_label_are_not_learnt_from(own_cache):
    dataset = image_dataset(train=60)
    dataset.train.labels[:] = -1
    assert prepared(Classifier, dataset) is None


@pytest.mark.parametrize(("height", "width", "channels"), [(8, 8, 1), (9, 31, 3), (64, 40, 4), (33, 8, 1)])
def test_any_shape_of_image_can_be_looked_through(height, width, channels):
    dataset = noise_dataset(height, width, channels)
    for extractor in (Pixels, Classifier):
        assert prepared(extractor, dataset).features(dataset.test.rows).shape == (40, 64)


def test_labelled_vectors_are_classified(own_cache):
    spec = VectorSpec(features=3, classes=("left", "right"))
    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    examples = Examples(spec, rows, (rows[:, 0] > 0).astype(np.int64))
    dataset = Dataset(reference="v", fingerprint="v", train=examples, validation=examples, test=examples)
    found = prepared(Classifier, dataset)
    assert (found.classify(found.features(rows)) == examples.labels).mean() > 0.9


def test_features_are_extracted_once_and_only_when_asked_for():
    class Counting(Pixels):
        calls = 0

        def features(self, rows):
            self.calls += 1
            return super().features(rows)

    extractor = Counting("counting@1", 1.0)
    features = LazyFeatures(np.ones((2, 3), dtype=np.float32), [extractor])
    assert list(features) == ["counting@1"]
    assert extractor.calls == 0
    assert np.array_equal(features["counting@1"], features["counting@1"])
    assert extractor.calls == 1


def test_hashes_see_values_shapes_and_types():
    zeros = np.zeros((2, 3), dtype=np.float32)
    variants = [zeros, zeros + 1, zeros.reshape(3, 2), zeros.astype(np.float64)]
    assert len({content_hash("recipe", variant) for variant in variants}) == 4
