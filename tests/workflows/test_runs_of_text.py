"""A run of text is written, continued and sampled as text, even when the data is gone."""

import html
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


def test_a_class_of_text_can_be_asked_for_by_its_name(tmp_path):
    begins = {"prose": "ab", "verse": "cd"}
    rows = [f"{kind},{begin}{'xyz'[n % 3]}" for n in range(120) for kind, begin in begins.items()]
    (tmp_path / "lines.csv").write_text("\n".join(["label,text", *rows]), "utf-8")
    config = {"network": "lstm:width=32", "batch_size": 16, "learning_rate": 1e-2}
    run = tvir.train(
        "conditional-language-model", str(tmp_path / "lines.csv"), budget="150steps", config=config,
        out=tmp_path / "run",
    )  # fmt: skip
    written = tvir.sample(run, 20, condition="verse", seed=1).read_text("utf-8").split()
    assert sum(text.startswith("cd") for text in written) >= 18
    either = run.model.spec.texts(run.sample(200, seed=1))
    assert 60 < sum(text.startswith("cd") for text in either) < 140
    with pytest.raises(UsageError, match="there is no class 'poem'; the classes are: prose, verse"):
        run.sample(3, condition="poem")


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


@pytest.mark.parametrize(("language", "heading"), [("en", "reverse perplexity"), ("uk", "зворотна перплексія")])
def test_it_is_judged_and_its_report_shows_what_it_writes(run, language, heading):
    card = tvir.evaluate(run, language=language)
    measured = {score.metric for score in card.scores}
    assert {"ngram_js_1", "self_bleu_4", "length_w1", "text_copy_rate", "bits_per_character"} <= measured
    assert not {"copy_rate", "spectrum_w1", "bits_per_dim", "bleu_nothing"} & measured
    page = (run.path / "report.html").read_text("utf-8")
    assert heading in page.lower()
    for text in run.model.spec.texts(run.sample(3, seed=0)):
        assert html.escape(text) in page.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")


def test_texts_of_anybody_are_scored(run, tmp_path):
    texts = tvir.sample(run, 40, to=tmp_path / "made.jsonl")
    card = tvir.score(str(texts), str(tmp_path / "words.txt"), out=tmp_path / "score")
    assert {"ngram_js_1", "distinct_2"} <= {score.metric for score in card.scores}
    assert "text_copy_rate" not in {score.metric for score in card.scores}
    assert "слово" in (tmp_path / "score" / "report.html").read_text("utf-8")
    with pytest.raises(UsageError, match="holds images of 8x8 pixels"):
        tvir.score("digits", str(tmp_path / "words.txt"))


def test_models_of_text_are_compared_and_shown_with_its_options(run, tmp_path):
    words = str(tmp_path / "words.txt")
    found = tvir.compare(
        ["language-model:network=lstm:width=8", "text-vae"], words, budget="2steps", seeds=1, out=tmp_path / "both",
        tokens="bytes", length=16, jobs=1, controls=False,
    )  # fmt: skip
    assert all(run.data.options == {"tokens": "bytes", "length": 16} for run in found.runs)
    drawn = tvir.show("text-vae", data=words, tokens="bytes", length=16, to=tmp_path / "vae.svg")
    assert drawn.exists()


def test_a_vae_of_text_walks_and_reconstructs_in_sentences(tmp_path):
    (tmp_path / "words.txt").write_text("\n".join(f"word {n % 7} of {n}" for n in range(60)), "utf-8")
    config = {"decoder": "recurrent:width=8", "encoder_width": 8, "latent": 2, "batch_size": 4}
    vae = tvir.train("text-vae", str(tmp_path / "words.txt"), budget="6steps", config=config, out=tmp_path / "vae")
    walks = tvir.interpolate(vae, 4, count=2)
    assert walks.name == "interpolation-seed0-seed1.txt"
    spec = vae.model.spec
    rows = vae.interpolate(4, count=2)
    assert walks.read_text("utf-8") == "\n\n".join("\n".join(spec.texts(walk)) for walk in rows) + "\n"
    pairs = tvir.reconstruct(vae, 3)
    assert pairs.name == "reconstructions.txt"
    originals = spec.texts(vae.dataset().test.take(np.arange(3)))
    assert pairs.read_text("utf-8").split("\n\n")[1].split("\n")[0] == originals[1]
    with pytest.raises(UsageError, match=r"walks can be written in; choose \.txt, \.npy or \.npz"):
        tvir.interpolate(vae, to=tmp_path / "walk.gif")
