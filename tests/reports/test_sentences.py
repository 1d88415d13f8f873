import dataclasses

import made_up
import pytest
from markupsafe import Markup

from tvir.contracts.metric import Axis
from tvir.contracts.verdict import CopyVerdict, PairVerdict
from tvir.reports.language import load_words
from tvir.reports.sentences import axis_sentences, failed_models, gaps_tested

EN = load_words("en")


def verdict(first, second, metric="density", space="pixels@x", *, ahead=None, doubt=None):
    return PairVerdict(
        first=first, second=second, axis=Axis.FIDELITY, metric=metric, space=space, gap=1.0, interval=(0.5, 1.5),
        seeds=3, ahead=ahead, doubt=doubt,
    )  # fmt: skip


def said(*verdicts, words=EN):
    (part,) = axis_sentences(verdicts, words)
    return [*part.decided, *part.open]


def test_who_is_ahead_of_whom_and_on_what():
    assert said(verdict("vae", "gan", ahead="gan")) == ["gan is ahead of vae on density [pixels]."]


def test_spaces_of_one_metric_are_told_together():
    both = [verdict("vae", "gan", space=space, ahead="gan") for space in ("pixels@x", "classifier@y")]
    assert said(*both) == ["gan is ahead of vae on density [pixels, classifier]."]


def test_models_beaten_on_the_same_scores_are_told_together():
    found = [verdict("vae", "gan", ahead="gan"), verdict("gan", "flow", ahead="gan")]
    assert said(*found) == ["gan is ahead of vae and flow on density [pixels]."]


def test_scores_that_disagree_are_both_told():
    found = [verdict("vae", "gan", ahead="gan"), verdict("vae", "gan", "coverage", ahead="vae")]
    assert said(*found) == ["gan is ahead of vae on density [pixels].", "vae is ahead of gan on coverage [pixels]."]


@pytest.mark.parametrize(
    ("doubt", "reason"), [("interval", "holds 0"), ("seeds", "fewer than three"), ("floor", "as good as real")]
)
def test_what_is_undecided_says_why(doubt, reason):
    (sentence,) = said(verdict("vae", "gan", doubt=doubt))
    assert "vae and gan are" in sentence
    assert reason in sentence


def test_an_undecided_gap_speaks_of_two_models_only():
    found = [verdict("a", "b", doubt="interval"), verdict("b", "c", doubt="interval")]
    assert [sentence.split(" are ")[0] for sentence in said(*found)] == ["a and b", "b and c"]


@pytest.mark.parametrize(("language", "word"), [("en", "floor’s spread"), ("uk", "розкид")])
def test_the_spread_of_the_floor_is_named_where_it_was_known(language, word):
    words = load_words(language)
    known = dataclasses.replace(verdict("vae", "gan", ahead="gan"), floor_spread=0.1)
    unknown = verdict("vae", "gan", ahead="gan")
    undecided = dataclasses.replace(verdict("vae", "gan", doubt="spread"), floor_spread=9.0)
    assert word in said(known, words=words)[0]
    assert word not in said(unknown, words=words)[0]
    assert word in said(undecided, words=words)[0]


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_verdict_is_spoken_of(language):
    words = load_words(language)
    report = made_up.comparison()
    for part in axis_sentences(report.verdicts, words):
        sentences = [*part.decided, *part.open]
        for one in report.verdicts:
            if isinstance(one, PairVerdict) and one.axis is part.axis:
                names = {one.first, one.second}
                assert any(
                    names <= set(made_up.MODELS) & {name for name in made_up.MODELS if name in sentence}
                    and words.metric(one.metric) in sentence
                    for sentence in sentences
                )


@pytest.mark.parametrize(
    ("copies", "floor", "start"),
    [
        (True, 0.01, "gan copies: 4.1\N{NO-BREAK SPACE}%"),
        (False, 0.05, "gan is not shown to copy: 4.1"),
        (None, None, "gan: 4.1"),
    ],
)
def test_copies_are_told_as_a_share_beside_that_of_real_data(copies, floor, start):
    one = CopyVerdict(subject="gan", space="pixels@x", share=0.041, floor=floor, interval=None, copies=copies)
    (part,) = axis_sentences([one], EN)
    assert part.axis is Axis.MEMORISATION
    assert part.decided[0].startswith(start)


def test_names_set_as_mark_up_leave_the_rest_escaped():
    (part,) = axis_sentences([verdict("a", "<b>", ahead="a")], EN, name=lambda name: Markup("<i>{}</i>").format(name))
    assert part.decided[0].startswith("<i>a</i> is ahead of <i>&lt;b&gt;</i> on")


def test_a_model_of_which_every_run_failed_is_named():
    runs = [made_up.run("gan", seed, failed=True) for seed in (0, 1)]
    runs += [made_up.run("vae", 0), made_up.run("vae", 1, failed=True)]
    assert failed_models(runs, EN) == ["gan has no verdict: every run failed."]


def test_gaps_without_an_interval_were_not_tested():
    assert (
        gaps_tested(
            [verdict("a", "b", doubt="seeds"), verdict("a", "b", doubt="interval"), verdict("a", "b", ahead="a")]
        )
        == 2
    )
