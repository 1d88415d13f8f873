"""Networks that others have trained: found by their files, refused when they are not what they claim to be."""

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from synthetic import blobs, image_dataset

from tvir.contracts.errors import UsageError
from tvir.contracts.third_party import import_beside_torchvision
from tvir.evaluation.features import inception
from tvir.evaluation.features.clip import Clip
from tvir.evaluation.features.dinov2 import Dinov2
from tvir.evaluation.features.inception import Inception
from tvir.evaluation.scorecard import Judge

transformers = pytest.importorskip("transformers")


@pytest.fixture(autouse=True)
def nothing_cached(monkeypatch):
    monkeypatch.setattr("tvir.evaluation.pretrained.cached_file", lambda repository: None)


def small_dinov2():
    import_beside_torchvision("transformers")
    config = transformers.Dinov2Config(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=1, mlp_ratio=2, image_size=28, patch_size=14
    )
    torch.manual_seed(0)
    return transformers.Dinov2Model(config).eval()


def small_clip():
    import_beside_torchvision("transformers")
    config = transformers.CLIPVisionConfig(
        hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=1, image_size=32, patch_size=16
    )
    torch.manual_seed(0)
    return transformers.CLIPVisionModel(config).eval()


def saved(model, path, rename=lambda name: name):
    save_file({rename(name): tensor.contiguous() for name, tensor in model.state_dict().items()}, path)
    return path


def clip_name(name):
    return name if name.startswith("vision_model.") else f"vision_model.{name}"


MODELS = [(Dinov2, small_dinov2, lambda name: name), (Clip, small_clip, clip_name)]


@pytest.mark.parametrize(("extractor", "make", "rename"), MODELS)
def test_features_are_those_of_the_network_in_the_file(tmp_path, extractor, make, rename):
    model = make()
    path = saved(model, tmp_path / "model.safetensors", rename)
    dataset = image_dataset(train=20, other=10)
    found = extractor.prepare(dataset, seed=0, report=lambda *_: None, weights=[path])
    features = found.features(blobs(5, seed=1)[0])
    assert features.shape == (5, 64)
    assert features.dtype == np.float32
    assert found.name.startswith(f"{extractor.__name__.lower()}@")
    side = model.config.image_size
    gray = np.full((1, 10, 10, 1), 255, dtype=np.uint8)
    white = torch.ones(1, 3, side, side)
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (extractor.mean, extractor.deviation))
    with torch.no_grad():
        expected = model((white - mean) / deviation).pooler_output.numpy()
    np.testing.assert_allclose(found.features(gray), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("extractor", "make", "rename"), MODELS)
def test_the_name_changes_with_the_weights(tmp_path, extractor, make, rename):
    model = make()
    first = saved(model, tmp_path / "first.safetensors", rename)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    second = saved(model, tmp_path / "second.safetensors", rename)
    spec = image_dataset(train=20, other=10).spec
    assert extractor.load(first, spec).name != extractor.load(second, spec).name


def test_a_file_that_lacks_a_tensor_is_refused(tmp_path):
    tensors = {name: tensor.contiguous() for name, tensor in small_dinov2().state_dict().items()}
    del tensors["layernorm.weight"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(UsageError, match="layernorm"):
        Dinov2.load(tmp_path / "model.safetensors", image_dataset(train=20, other=10).spec)


def test_a_file_with_a_monstrous_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 2**40) + json.dumps({}).encode())
    with pytest.raises(UsageError, match="header"):
        Dinov2.recognises(path)


def test_only_the_published_inception_is_ever_read(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(UsageError, match="sha256"):
        Inception.load(path, image_dataset(train=20, other=10).spec)


def test_inception_looks_at_uint8_images_of_any_channels(tmp_path, monkeypatch):
    try:
        module = import_beside_torchvision("torch_fidelity.feature_extractor_inceptionv3")
    except Exception as error:
        pytest.skip(str(error))
    kind = module.FeatureExtractorInceptionV3

    class Fresh(kind):
        def load_state_dict(self, tensors, *arguments, **others):
            return super().load_state_dict(tensors, *arguments, **others) if tensors else None

    empty = tmp_path / "empty.pt"
    torch.save({}, empty)
    torch.manual_seed(0)
    path = tmp_path / "weights.pth"
    torch.save(Fresh("fresh", ["2048"], str(empty)).state_dict(), path)
    monkeypatch.setattr(inception, "SHA256", inception.hashlib.sha256(path.read_bytes()).hexdigest())
    found = Inception.load(path, image_dataset(train=20, other=10).spec)
    assert found.features(blobs(2, seed=1)[0]).shape == (2, 2048)
    assert "tensorflow1-299" in found.name


def test_without_weights_one_finding_says_what_to_download():
    judge = Judge(image_dataset(train=60, other=30))
    card = judge.judge(blobs(30, seed=9)[0], subject="honest")
    about = [finding for finding in card.findings if "--weights" in finding]
    assert len(about) == 1
    assert all(found.file in about[0] for found in (Dinov2, Clip, Inception))


def test_a_file_that_nothing_recognises_is_an_error(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"other": torch.zeros(1)}, path)
    with pytest.raises(UsageError, match="no weights that can be looked through"):
        Judge(image_dataset(train=60, other=30), weights=[path])
    with pytest.raises(UsageError, match="is no file"):
        Judge(image_dataset(train=60, other=30), weights=[tmp_path / "gone.pth"])


def test_given_weights_are_a_space_of_the_scorecard(tmp_path):
    path = saved(small_dinov2(), tmp_path / "model.safetensors")
    card = Judge(image_dataset(train=60, other=30), weights=[path]).judge(blobs(30, seed=9)[0], subject="honest")
    spaces = {score.space.partition("@")[0] for score in card.scores if score.metric == "mmd_rbf"}
    assert "dinov2" in spaces
