"""The study of text: all models spend as much, nothing is done twice, and the page says what the numbers support."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import tvir
from tvir.contracts.errors import UsageError
from tvir.data.opening import open_dataset
from tvir.workflows.text_plane import TextRuler, plane_point

ROOT = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def study():
    sys.path.insert(0, str(ROOT))
    import text_plane

    yield text_plane
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def report(study):
    import text_plane_report

    return text_plane_report


def sentences(count):
    drawing = np.random.default_rng(0)
    parts = (["a cat", "the dog", "one man"], ["sits", "runs", "waits"], ["on a mat.", "at home.", "in the park."])
    return [" ".join(str(drawing.choice(part)) for part in parts) + f" {number}" for number in range(count)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "words.txt"
    path.write_text("\n".join(sentences(1500)), "utf-8")
    return path


def result_of(model, seed=0, *, bleu=0.3, self_bleu=0.3, bits=None):
    scores = {"bleu_4": bleu, "self_bleu_4": self_bleu}
    curve = [
        {"repetition": repetition, "fidelity": repetition, "temperature": temperature}
        for repetition, temperature in ((0.2, 1.15), (0.4, 1.0), (0.6, 0.5))
    ]
    return {
        "data": "words", "model": model, "seed": seed, "budget": "1Tflops", "size": 100, "curve": curve,
        "reading": {"tokens": "bpe", "vocabulary": 64, "length": 16, "windows": False},
        "scores": scores | ({"bits_per_character [exact]": bits} if bits else {}),
        "real": {"bleu_4": 0.5, "self_bleu_4": 0.5}, "samples": [f"a sentence of {model}", ""],
        "texts": {"train": 10, "validation": 5, "test": 5}, "steps": {"reading": 3, "adversarial": 2},
        "parameters": 1234, "teraflops": 1.0, "seconds": 5.0, "machine": "here", "versions": {"torch": "2"},
    } | ({} if model == "language-model" else {"curve": []})  # fmt: skip


def test_real_texts_score_better_than_texts_of_shuffled_words(data):
    ruler = TextRuler(open_dataset(str(data), tokens="characters"), lambda *_: None, size=100)
    spec = ruler._real.rows
    shuffled = np.random.default_rng(0).permuted(spec, axis=1)
    real, noise = ruler.real(), ruler.measure(shuffled)
    assert real["bleu_4"] > noise["bleu_4"]
    assert real["ngram_js_2"] < noise["ngram_js_2"]
    assert {"mauve [reader]", "reverse_perplexity", "distinct_2", "length_w1", "ngram_copy_rate"} <= set(real)
    point = ruler.place(shuffled, temperature=0.5)
    assert (point.fidelity, point.repetition) == (noise["bleu_4"], noise["self_bleu_4"])
    assert point.temperature == 0.5


def test_what_holds_no_text_has_no_place_in_the_plane():
    with pytest.raises(UsageError, match="holds no text"):
        TextRuler(open_dataset("ring8"), lambda *_: None)


@pytest.mark.slow
def test_trials_are_measured_once_and_go_on_with_a_run_that_is_there(study, data, tmp_path, capfd, monkeypatch):
    names = ("language-model", "text-gan-vae")
    trials = [
        study.Trial(
            data=str(data), model=name, seed=0, budget="0.2Gflops", size=100,
            reading={"tokens": "bpe", "vocabulary": 300, "length": 16, "windows": False},
        )
        for name in names
    ]  # fmt: skip
    small = {
        name: (
            kind,
            {**config, **({"network": "lstm:width=8"} if "network" in config else {"decoder": "recurrent:width=8"})},
        )
        for name, (kind, config) in study.MODELS.items()
    }
    monkeypatch.setattr(study, "MODELS", small)
    study.run_all(trials, tmp_path / "runs", tmp_path / "out")
    results = [json.loads(path.read_text("utf-8")) for path in sorted((tmp_path / "out").glob("*.json"))]
    assert [result["model"] for result in results] == list(names)
    assert [len(result["curve"]) for result in results] == [len(study.TEMPERATURES), 0]
    assert "bits_per_character [exact]" in results[0]["scores"]
    monkeypatch.setattr(tvir, "train", None)
    study.run_all(trials, tmp_path / "runs", tmp_path / "out")
    assert capfd.readouterr().out.count("is there") == 2
    next((tmp_path / "out").glob("*language*.json")).unlink()
    study.run_all(trials, tmp_path / "runs", tmp_path / "out")
    again = json.loads(next((tmp_path / "out").glob("*language*.json")).read_text("utf-8"))
    assert again["scores"] == results[0]["scores"]


def test_a_training_that_was_cut_off_is_not_measured(study, tmp_path, monkeypatch):
    class Cut:
        class record:  # noqa: N801
            status = "interrupted"

    monkeypatch.setattr(study.tvir, "train", lambda *_, **__: Cut())
    trial = study.Trial(data="words.txt", model="text-vae", seed=0, budget="1Tflops", size=10)
    with pytest.raises(SystemExit, match="the same command goes on"):
        study.run_all([trial], tmp_path / "runs", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_the_page_says_on_which_side_of_the_curve_each_mean_lies(report, tmp_path):
    results = [
        result_of("language-model", bits=1.25),
        result_of("text-gan-mle", 0, bleu=0.2),
        result_of("text-gan-mle", 1, bleu=0.22),
        result_of("latent-gan", bleu=0.305),
        result_of("text-gan-vae", self_bleu=0.9),
    ]
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.md").write_text("What a person adds.", "utf-8")
    report.write_pages(results, tmp_path / "text")
    page = (tmp_path / "text.md").read_text("utf-8")
    assert "On it: latent GAN." in page
    assert "Below it: text GAN, started as a language model." in page
    assert "Beyond its ends, where there is nothing to compare with: text GAN, started as a VAE." in page
    assert "So 1 of 3 GANs lie on the curve or above it. Real text lies on the curve too" in page
    assert "0.21 (0.2–0.22)" in page
    assert "a sentence of latent-gan" in page
    assert "| seeds | – | 1 | 1 | 2 | 1 |" in page
    assert "What a person adds." in page
    assert "1,25" in (tmp_path / "text.uk.md").read_text("utf-8")
    for language in ("", ".uk"):
        assert (tmp_path / "text" / f"words{language}.png").stat().st_size > 5000


def test_both_languages_have_the_same_words(report):
    assert report.WORDS["en"].keys() == report.WORDS["uk"].keys()


def test_a_place_in_the_plane_is_read_off_two_scores():
    point = plane_point({"bleu_4": 0.3, "self_bleu_4": 0.4, "mauve": 1.0})
    assert (point.fidelity, point.repetition) == (0.3, 0.4)
