"""Anybody's samples are judged, and what cannot be judged is said in one line."""

import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import tvir
from tvir.cli.main import main
from tvir.contracts.errors import TvirError, UsageError
from tvir.evaluation.scorecard import from_json, json_schema, to_json

SCHEMA = Path(__file__).parents[2] / "docs" / "scorecard.schema.json"


def images(count, seed, *, side=8, channels=1, classes=2):
    drawing = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    rows = drawing.normal(90, 30, (count, side, side, channels))
    rows[labels == 1, : side // 2] += 90
    return np.clip(rows, 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Writes arrays under a name and returns the path."""
    folder = tmp_path_factory.mktemp("arrays")

    def keep(name, x, y=None):
        np.savez(folder / f"{name}.npz", **({"x": x} if y is None else {"x": x, "y": y}))
        return str(folder / f"{name}.npz")

    return keep


@pytest.fixture(scope="module")
def features(kept):
    draw = np.random.default_rng(0)
    return {name: kept(name, draw.normal(size=(400, 6)).astype(np.float32)) for name in ("made", "real", "train")}


def names(card):
    return {score.metric for score in card.scores}


def test_the_documented_schema_is_what_the_code_writes(features):
    assert SCHEMA.read_bytes() == json_schema(), "write it anew: docs/scorecard.schema.json from json_schema()"
    card = tvir.score(features["made"], features["real"], features=True)
    schema = json.loads(json_schema())
    jsonschema.validate(json.loads(to_json(card)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 2, "subject": "", "reference": "", "scores": [], "findings": []}, schema)


def test_features_are_judged_in_one_space_named_by_their_content(features):
    card = tvir.score(features["made"], features["real"], features=True, train=features["train"])
    (space,) = {score.space for score in card.scores} - {"-"}
    assert space.startswith("features@")
    assert {"frechet_distance", "coverage", "copy_rate"} <= names(card)
    assert all(score.n_real == score.n_generated == 200 for score in card.scores)
    assert any(finding.startswith("intervals: 95 %, over 8 disjoint blocks") for finding in card.findings)
    assert any("kid: the variance of its U-statistic" in finding for finding in card.findings)


def test_without_a_training_set_there_is_no_memorisation_and_it_is_said(features):
    card = tvir.score(features["made"], features["real"], features=True)
    assert "memorisation" not in {score.axis for score in card.scores}
    assert any("copy_rate: left out, needs a training split" in finding for finding in card.findings)


def test_a_copied_training_set_is_caught(features):
    card = tvir.score(features["train"], features["real"], features=True, train=features["train"])
    (copies,) = [score for score in card.scores if score.metric == "copy_rate"]
    assert copies.value == 1.0
    assert copies.floor < 0.1


@pytest.mark.slow
def test_images_are_judged_and_labels_used_where_classes_agree(kept):
    card = tvir.score(kept("fake", *images(90, 1)), kept("true", *images(400, 2)))
    assert {"class_kl", "tstr_gap", "spectrum_w1"} <= names(card)
    assert {score.n_generated for score in card.scores} == {90}
    assert any("extractors learn from 200 real examples kept apart" in finding for finding in card.findings)


def test_one_class_alone_leaves_out_what_needs_classes(kept):
    card = tvir.score(kept("ones", *images(60, 1, classes=1)), kept("single", *images(240, 2, classes=1)))
    assert "class_kl" not in names(card)
    assert any("needs a classifier" in finding for finding in card.findings)


@pytest.mark.parametrize(("side", "channels"), [(10, 1), (8, 3)])
def test_another_shape_is_refused_with_what_mends_it(kept, side, channels):
    made = kept(f"odd-{side}-{channels}", images(60, 1, side=side, channels=channels)[0])
    real = kept("gray", images(60, 2)[0])
    with pytest.raises(UsageError, match="--size 8x8 --channels 1"):
        tvir.score(made, real)


def test_images_are_no_features(kept):
    made, real = kept("pictures", images(60, 1)[0]), kept("photographs", images(60, 2)[0])
    with pytest.raises(UsageError, match=r"--features expects arrays \(N, D\)"):
        tvir.score(made, real, features=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(kept, features, bad):
    rows = np.zeros((50, 6), np.float32)
    rows[3, 2] = bad
    with pytest.raises(TvirError, match="not finite"):
        tvir.score(kept(f"bad-{bad}", rows), features["real"], features=True)


def test_an_empty_folder_is_refused(tmp_path, features):
    with pytest.raises(TvirError, match=str(tmp_path.name)):
        tvir.score(str(tmp_path), features["real"])


def test_one_real_example_is_refused(kept, features):
    with pytest.raises(UsageError, match="at least 4 are needed"):
        tvir.score(features["made"], kept("lonely", np.ones((1, 6), np.float32)), features=True)


def test_one_generated_example_gives_findings_and_no_wrong_number(kept, features):
    card = tvir.score(kept("one", np.ones((1, 6), np.float32)), features["real"], features=True)
    assert not {"frechet_distance", "mmd_rbf", "coverage", "kid"} & names(card)
    assert all(score.interval is None for score in card.scores)
    assert any("at least 2" in finding for finding in card.findings)


def test_constant_images_on_both_sides_are_said_to_have_no_spread(kept):
    flat = np.full((60, 8, 8, 1), 7, np.uint8)
    card = tvir.score(kept("flat", flat), kept("flat-real", flat))
    assert not {"mmd_rbf", "spectrum_w1", "covariance_spectrum_ratio"} & names(card)
    for said in ("the median distance between real points is 0", "every image is constant", "do not vary"):
        assert any(said in finding for finding in card.findings), said


def test_fewer_points_than_dimensions_are_doubted(kept):
    draw = np.random.default_rng(1)
    made, real = (kept(name, draw.normal(size=(40, 90)).astype(np.float32)) for name in ("thin", "thin-real"))
    card = tvir.score(made, real, features=True)
    assert any("20 points in 90 dimensions leave the covariance singular" in finding for finding in card.findings)
    assert any("too few points for disjoint blocks" in finding for finding in card.findings)


def test_how_examples_were_dealt_for_training_is_no_matter_of_a_score(kept, features):
    card = tvir.score(features["made"], features["real"], features=True)
    assert not any(finding.startswith("split into") for finding in card.findings)


def test_real_data_that_is_its_own_training_data_is_judged_by_its_own_splits(features):
    card = tvir.score(features["made"], features["real"], features=True, train=features["real"])
    assert "real and training data are one: its own splits part" in card.findings
    (copies,) = [score for score in card.scores if score.metric == "copy_rate"]
    assert copies.value < 0.2


@pytest.mark.slow
def test_classes_that_differ_are_said_and_their_labels_left_alone(kept):
    real = kept("two", *images(240, 2, classes=2))
    rows, labels = images(90, 1, classes=3)
    labelled, bare = tvir.score(kept("three", rows, labels), real), tvir.score(kept("none", rows), real)
    said = "the classes of generated and real data differ: those of the generated data are not used"
    assert said in labelled.findings
    assert labelled.scores == bare.scores


@pytest.mark.slow
def test_idx_and_parquet_are_read_like_arrays(kept, tmp_path):
    rows, labels = images(120, 2)
    real = tmp_path / "idx"
    real.mkdir()
    for name, array in (("images-idx3", rows[..., 0]), ("labels-idx1", labels.astype(np.uint8))):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (real / f"train-{name}-ubyte").write_bytes(header + array.tobytes())
    made = tmp_path / "made.parquet"
    contents = []
    for image in images(60, 1)[0]:
        Image.fromarray(image[..., 0]).save(content := io.BytesIO(), "PNG")
        contents.append({"bytes": content.getvalue(), "path": None})
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.array(contents, kind)}), made)
    as_files = tvir.score(str(made), str(real))
    as_arrays = tvir.score(kept("60", images(60, 1)[0]), kept("120", rows, labels))
    assert names(as_files) == names(as_arrays)
    assert {score.n_generated for score in as_files.scores} == {30}


def test_the_command_reads_folders_and_writes_the_card(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, count in (("made", 30), ("true", 60)):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images(count, count)[0]):
            Image.fromarray(image[..., 0]).save(tmp_path / name / f"{number}.png")
    with pytest.raises(SystemExit, match="0"):
        main(["score", "made", "--against", "true"])
    card = from_json((tmp_path / "scores" / "made" / "scorecard.json").read_bytes())
    capsys.readouterr()
    with pytest.raises(SystemExit, match="0"):
        main(["score", "made", "--against", "true", "--json"])
    assert from_json(capsys.readouterr().out.encode()) == card
