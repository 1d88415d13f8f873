"""Judging from the page: what the doctor says and what the scorecard says, in both languages."""

import json
import shutil
import time

import pytest
from studio_trial import opened

import tvir


@pytest.mark.slow
def test_health_and_scorecard_are_told_in_both_languages(runs, tmp_path):
    atelier, client = opened(tmp_path, [runs / "toy"])
    run = client.get("/api/learning/runs").json()[0]["id"]
    before = client.get(f"/api/learning/runs/{run}/scorecard").json()
    assert (before["judged"], before["axes"]) == (False, [])
    assert client.post(f"/api/learning/runs/{run}/examination").status_code == 202
    end = time.monotonic() + 120
    while (health := client.get(f"/api/learning/runs/{run}/health").json())["whole"] is None:
        assert time.monotonic() < end, health
        time.sleep(0.2)
    ours = client.get(f"/api/learning/runs/{run}/health?language=uk").json()
    expected = tvir.doctor(runs / "toy").findings
    assert [found["check"] for found in health["whole"]] == [found.check for found in expected]
    assert {found["condition"] for found in ours["whole"]} == {found["condition"] for found in health["whole"]}
    assert [found["title"] for found in ours["whole"]] != [found["title"] for found in health["whole"]]
    # A studio that is opened later has not forgotten.
    other, again = opened(tmp_path, [runs / "toy"])
    assert again.get(f"/api/learning/runs/{run}/health").json()["whole"] == health["whole"]
    other.close()
    atelier.close()


@pytest.mark.slow
def test_a_run_is_judged_from_the_page(runs, tmp_path):
    shutil.copytree(runs / "toy", tmp_path / "toy")
    atelier, client = opened(tmp_path, [tmp_path / "toy"])
    run = client.get("/api/learning/runs").json()[0]["id"]
    assert client.post(f"/api/learning/runs/{run}/judgement?language=uk&limit=60").status_code == 202
    end = time.monotonic() + 240
    while not (card := client.get(f"/api/learning/runs/{run}/scorecard").json())["report"]:
        assert time.monotonic() < end, card
        assert card["trouble"] == ""
        time.sleep(0.3)
    written = json.loads((tmp_path / "toy" / "scorecard.json").read_text())
    assert sum(len(axis["scores"]) for axis in card["axes"]) == len(written["scores"])
    assert card["axes"][0]["name"] == "Fidelity"
    assert any(score["floor"] for axis in card["axes"] for score in axis["scores"])
    ours = client.get(f"/api/learning/runs/{run}/scorecard?language=uk").json()
    assert ours["axes"][0]["name"] != "Fidelity"
    report = client.get(f"/api/learning/runs/{run}/report.html")
    assert report.headers["content-disposition"].startswith("attachment")
    atelier.close()
