"""Models of text are asked as they would be in Python, piece by piece, and what they wrote is kept."""

import json

import numpy as np
import pytest

import tvir


def written(client, run, **form):
    """The pieces of a text as they came, joined, and the last line."""
    with client.stream("POST", f"/api/runs/{run}/write", json=form) as answer:
        lines = [json.loads(line) for line in answer.iter_lines()]
    assert answer.status_code == 200
    assert lines[-1]["done"]
    return "".join(line.get("more", "") for line in lines), lines[-1]


@pytest.mark.parametrize("name", ["reader", "unmasker", "sentences"])
def test_a_streamed_text_is_the_sample_of_its_seed(writing, authors, name):
    client, ids = writing
    run = tvir.load(authors / name)
    for seed in (1, 2):
        text, last = written(client, ids[name], seed=seed, temperature=0.8, top_p=0.9)
        assert last["failed"] is None
        assert text == run.model.spec.texts(run.sample(1, seed=seed, temperature=0.8, top_p=0.9))[0]


def test_a_text_is_of_the_class_that_is_asked_for_and_kept_with_its_name(writing, authors):
    client, ids = writing
    run = tvir.load(authors / "poet")
    of_classes = [written(client, ids["poet"], seed=3, condition=kind)[0] for kind in (0, 1)]
    assert of_classes == [run.model.spec.texts(run.sample(1, seed=3, condition=kind))[0] for kind in (0, 1)]
    kept = client.post(f"/api/runs/{ids['poet']}/texts", json={"written": {"seed": 3, "condition": 1}}).json()
    assert (kept["text"], kept["condition"], kept["condition_name"]) == (of_classes[1], 1, "verse")
    for name, condition in (("poet", 2), ("reader", 1)):
        refused = client.post(f"/api/runs/{ids[name]}/write", json={"condition": condition})
        assert (refused.status_code, refused.json()["code"]) == (422, "no-class")


@pytest.mark.parametrize("name", ["reader", "unmasker"])
def test_a_text_goes_on_from_its_own_beginning_as_it_did_before(writing, name):
    client, ids = writing
    seed, text = next(
        (seed, text) for seed in range(40) if len(text := written(client, ids[name], seed=seed)[0]) > 5
    )  # fmt: skip
    if name == "reader":  # what it has read decides what follows, so the rest is the same
        rest, _ = written(client, ids[name], seed=seed, begun=text[:4])
        assert text[:4] + rest == text
    begun, _ = written(client, ids[name], seed=4, begun="a cat s")
    assert begun == written(client, ids[name], seed=4, begun="a cat s")[0]


def test_a_beginning_that_fills_a_text_is_gone_on_from_at_its_end(writing):
    client, ids = writing
    rest, last = written(client, ids["reader"], begun="a cat sees the sun. " * 40)
    assert last["failed"] is None
    assert len(rest) <= client.get(f"/api/runs/{ids['reader']}/author").json()["length"]


def test_a_sentence_varies_around_what_the_model_reads_in_it(writing, authors):
    client, ids = writing
    run, sentence = tvir.load(authors / "sentences"), "a dog likes milk."
    spec = run.model.spec
    tokens = [spec.pieces.index(letter.encode()) for letter in sentence]
    row = np.zeros((1, spec.length), spec.row_dtype)
    row[0, : len(tokens)] = tokens
    read = spec.texts(run.reconstruct(row))[0]
    asked = {"sentence": sentence, "count": 3}
    answer = client.post(f"/api/runs/{ids['sentences']}/vary", json={**asked, "boldness": 0}).json()
    assert answer["texts"] == [read] * 3
    way = {"first": sentence, "last": "the bird eats a fish.", "steps": 5}
    texts = client.post(f"/api/runs/{ids['sentences']}/between", json=way).json()["texts"]
    assert texts[0] == read
    assert len(texts) == 5
    back = client.post(
        f"/api/runs/{ids['sentences']}/between", json={"first": way["last"], "last": way["first"], "steps": 5}
    )
    assert back.json()["texts"] == texts[::-1]


def test_what_a_model_cannot_do_is_refused_in_words(writing, client, ids):
    browser, runs = writing
    assert browser.get(f"/api/runs/{runs['sentences']}/author").json()["continues"] is False
    refused = {
        "cannot-continue": ("sentences", "write", {"begun": "a"}),
        "cannot-vary": ("reader", "vary", {"sentence": "a"}),
        "invalid": ("reader", "texts", {}),
    }
    for code, (name, path, form) in refused.items():
        answer = browser.post(f"/api/runs/{runs[name]}/{path}", json=form)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert client.post(f"/api/runs/{ids['vae']}/write", json={}).json()["code"] == "no-text"


def test_texts_are_kept_as_the_model_makes_them_with_how_they_came_about(writing):
    client, ids = writing
    text, _ = written(client, ids["reader"], seed=5, begun="the bird ")
    kept = client.post(f"/api/runs/{ids['reader']}/texts", json={"written": {"seed": 5, "begun": "the bird "}})
    work = kept.json()
    assert kept.status_code == 201
    assert (work["kind"], work["origin"], work["seed"]) == ("text", "continued", 5)
    assert work["text"] == "the bird " + text
    assert work["alive"] == ids["reader"]
    varied = {"sentence": "a cat.", "boldness": 0.5, "count": 4, "seed": 2}
    texts = client.post(f"/api/runs/{ids['sentences']}/vary", json=varied).json()["texts"]
    second = client.post(f"/api/runs/{ids['sentences']}/texts", json={"varied": varied, "index": 2}).json()
    assert second["text"] == texts[2]
    assert [found["id"] for found in client.get("/api/works").json()] == [second["id"], work["id"]]
    again = {"written": {"seed": 5, "begun": work["text"]}, "parents": [work["id"]]}
    assert client.post(f"/api/runs/{ids['reader']}/texts", json=again).json()["parents"] == [work["id"]]
    assert client.post("/api/undo").json()["turned"] == "keep"
    assert client.get(f"/api/export/works.zip?work={work['id']}").status_code == 200
