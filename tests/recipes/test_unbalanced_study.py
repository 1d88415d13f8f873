"""The study of Unbalanced GANs: equal compute, nothing done twice, and a page that says what the numbers support."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def study():
    sys.path.insert(0, str(ROOT))
    import unbalanced_study

    yield unbalanced_study
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def report(study):
    import unbalanced_report

    return unbalanced_report


def made_up(arm, seed, *, final=1.0, early=2.0, coverage=0.5, data="mnist", failure=None, deviation=0.1):
    """A result whose Frechet distance falls from ``early`` to ``final`` over the second half of the compute."""
    points = [
        {"share": share, "frechet_distance": value, "coverage": coverage, "density": 0.5, "class_kl": 0.1}
        for share, value in ((0.02, early), (0.3, early), (0.5, early), (1.0, final))
    ]
    return {
        "data": data, "loss": "relativistic", "arm": arm, "seed": seed, "scale": 1.0, "points": points,
        "critic_loss_deviation": deviation, "steps": {}, "petaflops": 1.0, "seconds": 1.0, "failure": failure,
        "machine": "here", "versions": {},
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["random", "vae+aggregated"])
def test_every_arm_spends_as_much(study, arm, monkeypatch):
    train, spent = study.tvir.train, []

    def noted(*words, **settings):
        run = train(*words, **settings)
        spent.append(run.record.spent.flops)  # the run is thrown away once it is measured
        return run

    monkeypatch.setattr(study.tvir, "train", noted)
    result = study.run_trial(study.Trial(data="ring8", loss="relativistic", arm=arm, seed=0, scale=0.005))
    assert spent == pytest.approx([1e15 * result.petaflops], rel=0.1)
    assert ("autoencoding" in result.steps) == (arm != "random")


@pytest.mark.slow
def test_a_trial_is_measured_at_every_share_and_done_only_once(study, tmp_path, capfd):
    trial = study.Trial(data="ring8", loss="relativistic", arm="vae", seed=0, scale=0.005)
    study.run_all([trial], tmp_path, jobs=1)
    (result,) = study.read_results(tmp_path)
    assert result.failure is None
    assert [point["share"] for point in result.points] == list(study.MEASURED)
    assert {"modes_found", "reverse_kl", "high_quality_share"} <= result.points[-1].keys()
    capfd.readouterr()
    study.run_all([trial], tmp_path, jobs=1)
    assert "1 of 1 trials are there" in capfd.readouterr().out


def test_a_score_is_read_between_its_points_and_nowhere_beyond_them(report):
    result = made_up("vae", 0, early=2.0, final=1.0)
    assert report.at(result, "frechet_distance", 0.75) == pytest.approx(1.5)
    cut = {**result, "points": result["points"][:2]}
    assert np.isnan(report.at(cut, "frechet_distance", 1.0))


def test_an_arm_that_is_better_on_every_seed_supports_the_claim_and_a_worse_one_contradicts_it(report):
    noise = (0.0, 0.01, -0.01, 0.02)
    base = [made_up("random", seed, early=2.0 + shift) for seed, shift in enumerate(noise)]
    better = [made_up("vae", seed, early=1.0 - shift) for seed, shift in enumerate(noise)]
    worse = [made_up("ae", seed, early=3.0 - shift) for seed, shift in enumerate(noise)]
    early = next(claim for claim in report.CLAIMS if claim.key == "early")
    found = {gap.arm: gap for gap in report.gaps([*base, *better, *worse], early)}
    assert found["vae"].better
    assert not found["ae"].better
    assert max(gap.p_value for gap in found.values()) < 0.05


def test_another_data_set_changes_nothing_that_was_decided_on_the_first(report):
    early = next(claim for claim in report.CLAIMS if claim.key == "early")
    noise = (0.0, 0.01, -0.01, 0.02)
    first = [made_up("random", seed, early=2.0 + shift) for seed, shift in enumerate(noise)]
    first += [made_up("vae", seed, early=1.9 - shift) for seed, shift in enumerate(noise)]
    second = [{**result, "data": "faces"} for result in first]
    (alone,) = report.gaps(first, early)
    assert alone in report.gaps([*second, *first], early)


def test_a_game_that_is_over_is_not_steady_but_failed(report):
    collapsed = made_up("vae", 0, coverage=0.01, deviation=1e-9)
    assert report.failed(collapsed)
    assert np.isnan(report.steadiness(collapsed))
    assert report.failed(made_up("vae", 0, failure="diverged"))
    assert not report.failed(made_up("vae", 0))


def test_the_page_is_written_in_both_languages_with_every_arm(report, tmp_path):
    results = [made_up(arm, seed) for arm in report.COLOURS for seed in range(3)]
    report.write_pages(results, tmp_path / "unbalanced")
    for suffix in ("", ".uk"):
        text = (tmp_path / f"unbalanced{suffix}.md").read_text("utf-8")
        assert text.count("0/3 |") == len(report.COLOURS)
        assert "0/3 · 0/12" in text
        assert (tmp_path / "unbalanced" / f"mnist{suffix}.png").stat().st_size > 10_000
    english, ukrainian = (report.WORDS[language] for language in ("en", "uk"))
    assert english.keys() == ukrainian.keys()


def test_a_narrow_critic_is_a_row_of_its_own_and_other_results_keep_their_names(study):
    trial = study.Trial(data="stacked:data/mnist", loss="relativistic", arm="vae+aggregated", seed=0, scale=0.5)
    assert trial.name == "stacked-mnist_relativistic_vae+aggregated_0_x0.5"
    assert replace(trial, critic=0.25).name == "stacked-mnist-critic0.25_relativistic_vae+aggregated_0_x0.5"
    assert replace(trial, data="data/mnist").name == "mnist_relativistic_vae+aggregated_0_x0.5"


def test_stacks_are_read_from_their_modes(report, tmp_path):
    found = made_up("vae", 0, data="stacked-mnist")
    found = {**found, "modes": 1000, "points": [{**point, "mode_count": 400} for point in found["points"]]}
    assert report.quality(found).name == "class_kl"
    assert report.failed(found)
    assert not report.failed({**found, "points": [{**point, "mode_count": 990} for point in found["points"]]})
    report.write_pages([{**found, "seed": seed} for seed in range(3)], tmp_path / "unbalanced")
    assert "| 400 ± 0 | 1 ± 0 |" in (tmp_path / "unbalanced.md").read_text("utf-8")


def test_data_with_too_few_seeds_to_decide_anything_are_not_shown(report, tmp_path, capfd):
    report.write_pages([made_up("vae", seed) for seed in range(2)], tmp_path / "unbalanced")
    assert "there are no data with 3 seeds yet" in capfd.readouterr().out
    assert not (tmp_path / "unbalanced.md").exists()


def test_results_are_plain_json(study, report, tmp_path):
    (tmp_path / "mnist_x_x1.json").write_text(json.dumps(made_up("vae", 0)))
    assert study.read_results(tmp_path)[0].arm == "vae"
