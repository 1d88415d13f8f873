import pytest
import torch

from tvir.contracts.data import ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.models.catalogue import find_model
from tvir.workflows.building import construct, find_method, read_config

SPEC = ImageSpec(channels=1, height=8, width=8)
VAE = find_model("vae")


def test_first_weights_follow_from_the_seed_alone():
    models = []
    for noise in (0, 1):
        torch.manual_seed(noise)
        models.append(construct(VAE, SPEC, VAE.smallest(), seed=5))
    other = construct(VAE, SPEC, VAE.smallest(), seed=6)
    first, again, different = (torch.cat([p.flatten() for p in m.parameters()]) for m in (*models, other))
    assert torch.equal(first, again)
    assert not torch.equal(first, different)


def test_building_a_model_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    construct(VAE, SPEC, VAE.smallest(), seed=5)
    assert torch.equal(torch.rand(3), expected)


def test_a_model_too_large_to_be_meant_is_refused_before_memory_is_taken():
    with pytest.raises(UsageError, match=r"GiB|cannot be built|not usable"):
        construct(VAE, SPEC, read_config(VAE, {"width": 10**9}), seed=0)


def test_data_that_the_model_does_not_take_is_refused():
    with pytest.raises(UsageError, match="cannot learn text data; it takes image or vector data"):
        construct(VAE, TextSpec(vocabulary=5, length=4), VAE.smallest(), seed=0)


def test_settings_of_another_model_are_refused():
    with pytest.raises(UsageError, match="Gan"):
        read_config(VAE, find_model("gan").smallest())


def test_settings_in_python_are_checked_like_those_in_a_file():
    with pytest.raises(UsageError, match="width"):
        read_config(VAE, VAE.Config(width=-1))


def test_a_game_from_a_random_start_has_the_steps_of_a_plain_game_not_those_of_a_trained_generator():
    vectors = VectorSpec(features=2)
    random = find_method("unbalanced-gan", {"pretraining": "none"}, vectors).config.as_json()
    trained = find_method("unbalanced-gan", {}, vectors).config.as_json()
    plain = find_method("gan", {}, vectors).config.as_json()
    assert random["generator_learning_rate"] == plain["generator_learning_rate"] > trained["generator_learning_rate"]
    assert random["batch_size"] == plain["batch_size"] == trained["batch_size"]
