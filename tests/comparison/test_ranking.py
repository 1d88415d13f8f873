"""Ranks say no more than the verdicts decide."""

from tvir.comparison.ranking import dominating, rank
from tvir.contracts.metric import Axis
from tvir.contracts.verdict import CopyVerdict, PairVerdict


def verdict(first, second, ahead, axis=Axis.FIDELITY, metric="density"):
    return PairVerdict(
        first=first, second=second, axis=axis, metric=metric, space="-", gap=1.0, interval=(0.5, 1.5), seeds=3,
        ahead=ahead,
    )  # fmt: skip


def test_models_that_nothing_tells_apart_share_all_ranks():
    (ranks,) = rank("abc", [verdict("a", "b", None), verdict("a", "c", None), verdict("b", "c", None)])
    assert ranks.ranks == {"a": (1, 3), "b": (1, 3), "c": (1, 3)}


def test_a_decided_order_has_one_rank_each():
    (ranks,) = rank("abc", [verdict("a", "b", "b"), verdict("a", "c", "c"), verdict("b", "c", "c")])
    assert ranks.ranks == {"a": (3, 3), "b": (2, 2), "c": (1, 1)}


def test_scores_that_disagree_leave_two_models_tied():
    (ranks,) = rank("ab", [verdict("a", "b", "a"), verdict("a", "b", "b", metric="mmd_rbf")])
    assert ranks.ranks == {"a": (1, 2), "b": (1, 2)}


def test_every_axis_is_ranked_by_itself_and_copies_are_no_rank():
    copies = CopyVerdict(subject="a", space="-", share=0.5, floor=0.1, interval=None, copies=True)
    found = rank("ab", [verdict("a", "b", "a"), verdict("a", "b", "b", axis=Axis.DIVERSITY), copies])
    assert [one.axis for one in found] == [Axis.FIDELITY, Axis.DIVERSITY]
    assert [one.ranks["a"] for one in found] == [(1, 1), (2, 2)]


def test_only_a_model_that_is_nowhere_behind_dominates():
    wins = [verdict("a", "b", "a"), verdict("a", "c", "a")]
    assert dominating("abc", wins) == "a"
    assert dominating("abc", [wins[0], verdict("a", "c", None)]) is None
    assert dominating("abc", [*wins, verdict("a", "b", "b", axis=Axis.STRUCTURE)]) is None
    assert dominating("a", []) is None
