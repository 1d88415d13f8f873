"""A run of text is written, continued and sampled as text, even when the data is gone."""

import json
import shutil

import numpy as np
import pytest

import tvir
from tvir.contracts.errors import UsageError

CONFIG = {"network": "lstm:width=8", "batch_size": 4}


@pytest.fixture
def run(tmp_path):
    words = [f"слово {n % 7}, рядок {n}" for n in range(60)]
    (tmp_path / "words.txt").write_text("\n".join(words), "utf-8")
    return tvir.train(
        "language-model", str(tmp_path / "words.txt"), budget="4steps", config=CONFIG, out=tmp_path / "run", length=24
    )


def test_its_samples_are_text_when_the_data_is_gone(run, tmp_path):
    (tmp_path / "words.txt").unlink()
    shutil.move(run.path, tmp_path / "moved")
    moved = tvir.load(tmp_path / "moved")
    written = tvir.sample(moved, 5, seed=1)
    assert written.name == "samples-seed1.txt"
    texts = moved.model.spec.texts(moved.sample(5, seed=1))
    assert written.read_text("utf-8") == "\n".join(texts) + "\n"
    lines = tvir.sample(moved, 5, seed=1, to=tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts
    previews = sorted((tmp_path / "moved" / "samples").glob("*.txt"))
    assert previews
    assert previews[-1].read_text("utf-8").endswith("\n")


def test_its_data_is_read_again_in_the_same_way(run):
    record = run.record.data
    assert record.options == {"tokens": "characters", "length": 24}
    assert run.dataset().fingerprint == record.fingerprint
    assert "с" in record.spec.pieces


def test_temperature_and_top_p_are_asked_of_models_that_draw_tokens(run, small_vae):
    likeliest = run.sample(6, seed=3, top_p=1e-9)
    assert len(np.unique(likeliest, axis=0)) == 1
    assert np.array_equal(run.sample(6, seed=3, temperature=1.0, top_p=1.0), run.sample(6, seed=3))
    with pytest.raises(UsageError, match=r"--temperature 0 is not possible"):
        run.sample(6, temperature=0)
    with pytest.raises(UsageError, match=r"--top-p 1.5 is not possible"):
        run.sample(6, top_p=1.5)
    with pytest.raises(UsageError, match="vae does not draw tokens"):
        small_vae.sample(6, temperature=0.5)


def test_a_vocabulary_that_does_not_fit_is_refused(run):
    record = json.loads(run.folder.record_path.read_text("utf-8"))
    for pieces in (record["data"]["spec"]["pieces"][:-1], ["x", *record["data"]["spec"]["pieces"][1:]]):
        record["data"]["spec"]["pieces"] = pieces
        run.folder.record_path.write_text(json.dumps(record), "utf-8")
        with pytest.raises(UsageError, match="the pieces of the vocabulary do not fit its size"):
            tvir.load(run.path)


def test_text_is_no_form_of_other_data(small_vae, tmp_path):
    with pytest.raises(UsageError, match=r"only text can be written as \.txt"):
        tvir.sample(small_vae, 3, to=tmp_path / "digits.txt")
