import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tvir.comparison.statistics import holm, paired_gap, seed_interval, summarise, verdicts
from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Axis, Direction, Score, Scorecard
from tvir.contracts.verdict import CopyVerdict, PairVerdict

numbers = st.floats(-1e6, 1e6)


def score(value, metric="mmd_rbf", *, better=Direction.LOWER, floor=0.0, axis=Axis.FIDELITY, interval=None):
    return Score(
        axis=axis, metric=metric, space="pixels@raw", value=value, floor=floor, better=better, interval=interval,
        n_real=100, n_generated=100,
    )  # fmt: skip


def card(*scores, reference="digits abc", findings=()):
    return Scorecard(subject="run", reference=reference, scores=scores, findings=findings)


def cards(**values):
    """Cards by model and seed from one list of values per model."""
    return {name: {seed: card(score(value)) for seed, value in enumerate(found)} for name, found in values.items()}


def pair(found):
    (only,) = [verdict for verdict in found if isinstance(verdict, PairVerdict)]
    return only


class TestSeedInterval:
    @settings(deadline=None)
    @given(st.lists(numbers, min_size=3, max_size=12))
    def test_agrees_with_scipy(self, values):
        spread = stats.sem(values)
        low, high = seed_interval(values)
        if spread > 1e-9 * (1 + np.abs(values).max()):
            expected = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=spread)
            assert (low, high) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        else:
            assert (low, high) == pytest.approx((np.mean(values),) * 2, rel=1e-6, abs=1e-6)

    @pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
    def test_two_values_are_too_few(self, values):
        assert seed_interval(values) is None

    @pytest.mark.parametrize("count", [3, 5])
    def test_holds_the_true_mean_in_95_of_100_draws(self, count):
        draws = np.random.default_rng(0).normal(2.0, 3.0, size=(3000, count))
        held = np.mean([low <= 2.0 <= high for low, high in map(seed_interval, draws)])
        # Three standard errors of a share of 0.95 over 3000 draws.
        assert held == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 3000))


class TestPairedGap:
    def test_agrees_with_scipys_paired_test(self):
        draw = np.random.default_rng(1)
        for _ in range(50):
            first, second = draw.normal(0, 1, 5), draw.normal(0.8, 1, 5)
            gap = paired_gap(first, second)
            expected = stats.ttest_rel(first, second)
            assert gap.gap == pytest.approx(np.mean(first) - np.mean(second))
            assert gap.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))
            assert gap.p_value == pytest.approx(expected.pvalue)

    def test_what_a_seed_does_to_both_drops_out(self):
        common = np.array([10.0, -30.0, 50.0, 7.0])
        shifted = common + np.array([1.0, 1.1, 0.9, 1.0])
        assert paired_gap(shifted, common).p_value < 0.01
        assert paired_gap(shifted, common[::-1]).p_value > 0.5

    def test_seeds_that_all_differ_by_the_same_are_judged_by_their_signs(self):
        assert paired_gap([8.0, 8.0, 8.0], [7.0, 7.0, 7.0]).p_value == 0.25
        assert paired_gap([8.0] * 6, [7.0] * 6).p_value == pytest.approx(1 / 32)
        assert paired_gap([8.0, 8.0, 8.0], [8.0, 8.0, 8.0]).p_value == 1.0

    def test_equal_models_are_called_different_in_5_of_100_draws(self):
        draw = np.random.default_rng(2)
        decided = np.mean([paired_gap(draw.normal(size=4), draw.normal(size=4)).p_value < 0.05 for _ in range(2000)])
        assert decided == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))

    def test_seeds_that_do_not_pair_are_refused(self):
        with pytest.raises(ValueError, match="argument"):
            paired_gap([1.0, 2.0], [1.0])


class TestSummarise:
    def test_takes_the_mean_and_keeps_the_floor(self):
        whole = summarise([card(score(value, floor=0.25)) for value in (1.0, 2.0, 3.0)], "vae")
        (only,) = whole.scores
        assert (whole.subject, whole.reference) == ("vae", "digits abc")
        assert (only.value, only.floor) == (2.0, 0.25)
        assert only.interval == seed_interval([1.0, 2.0, 3.0])

    def test_two_seeds_have_no_interval(self):
        (only,) = summarise([card(score(1.0)), card(score(2.0))], "vae").scores
        assert only.interval is None

    def test_one_card_keeps_the_interval_it_came_with(self):
        (only,) = summarise([card(score(1.0, interval=(0.9, 1.1)))], "vae").scores
        assert only.interval == (0.9, 1.1)

    def test_a_score_that_is_not_finite_on_one_seed_is_said_to_be_missing(self):
        whole = summarise([card(score(value)) for value in (1.0, math.nan, 3.0)], "vae")
        assert whole.scores[0].value == 2.0
        assert any("2 of 3 seeds" in finding for finding in whole.findings)

    def test_a_score_that_is_nowhere_finite_is_left_out_and_said(self):
        whole = summarise([card(score(math.inf))], "vae")
        assert whole.scores == ()
        assert any("0 of 1 seeds" in finding for finding in whole.findings)

    def test_the_smallest_sample_sizes_are_told(self):
        small = replace(score(1.0), n_real=50, n_generated=70)
        (only,) = summarise([card(score(1.0)), card(small)], "vae").scores
        assert (only.n_real, only.n_generated) == (50, 70)

    def test_findings_are_told_once(self):
        whole = summarise([card(score(1.0), findings=("no labels",))] * 3, "vae")
        assert whole.findings.count("no labels") == 1

    @pytest.mark.parametrize(("seeds", "said"), [(1, "blocks"), (2, "2 training seeds are too few"), (3, "over 3")])
    def test_it_says_where_the_intervals_come_from(self, seeds, said):
        one = card(score(1.0), findings=("intervals: over 8 disjoint blocks",))
        (finding,) = summarise([one] * seeds, "vae").findings
        assert said in finding

    def test_cards_against_different_data_are_refused(self):
        with pytest.raises(UsageError, match="different data"):
            summarise([card(score(1.0)), card(score(1.0), reference="digits def")], "vae")

    def test_a_model_without_cards_is_refused(self):
        with pytest.raises(UsageError, match="none of its runs finished"):
            summarise([], "vae")


class TestPairVerdicts:
    def test_lower_is_ahead_where_lower_is_better(self):
        found = pair(verdicts(cards(vae=[3.0, 3.1, 2.9], gan=[1.0, 1.1, 1.0])))
        assert (found.ahead, found.behind, found.doubt) == ("gan", "vae", None)
        assert found.gap == pytest.approx(np.mean([2.0, 2.0, 1.9]))

    def test_higher_is_ahead_where_higher_is_better(self):
        up = {
            name: {
                seed: card(score(value, "coverage", better=Direction.HIGHER, floor=0.97))
                for seed, value in enumerate(found)
            }
            for name, found in {"vae": [0.5, 0.51, 0.49], "gan": [0.7, 0.71, 0.7]}.items()
        }
        assert pair(verdicts(up)).ahead == "gan"

    def test_exchanging_the_models_exchanges_nothing_but_the_sign(self):
        one = pair(verdicts(cards(vae=[3.0, 3.1, 2.9], gan=[1.0, 1.1, 1.0])))
        other = pair(verdicts(cards(gan=[1.0, 1.1, 1.0], vae=[3.0, 3.1, 2.9])))
        assert (one.ahead, one.gap) == (other.ahead, pytest.approx(-other.gap))

    def test_an_interval_that_holds_0_decides_nothing(self):
        found = pair(verdicts(cards(vae=[1.0, 3.0, 2.0], gan=[2.0, 1.0, 3.0])))
        assert (found.ahead, found.behind, found.doubt) == (None, None, "interval")

    def test_two_seeds_decide_nothing_however_large_the_gap(self):
        found = pair(verdicts(cards(vae=[100.0, 100.0], gan=[1.0, 1.0])))
        assert (found.ahead, found.doubt, found.interval) == (None, "seeds", None)

    def test_models_that_both_reach_the_floor_are_not_told_apart(self):
        both = {
            name: {seed: card(score(value, floor=1.0)) for seed, value in enumerate(found)}
            for name, found in {"vae": [0.9, 0.91, 0.9], "gan": [0.5, 0.5, 0.51]}.items()
        }
        assert pair(verdicts(both)).doubt == "floor"

    def test_only_seeds_of_both_models_count(self):
        found = cards(vae=[3.0, 3.1, 2.9, 3.0], gan=[1.0, 1.1, 1.0])
        assert pair(verdicts(found)).seeds == 3

    def test_a_score_that_only_one_model_has_is_not_compared(self):
        found = cards(vae=[3.0, 3.1, 2.9])
        found["gan"] = {seed: card(score(1.0, "other")) for seed in range(3)}
        assert verdicts(found) == ()

    @pytest.mark.parametrize("metric", ["precision", "recall", "inception_score"])
    def test_what_is_never_ranked_on_has_no_verdict(self, metric):
        found = {
            name: {seed: card(score(value, metric)) for seed in range(3)}
            for name, value in {"a": 1.0, "b": 2.0}.items()
        }
        assert verdicts(found) == ()

    def test_cost_has_no_verdict(self):
        found = {
            name: {seed: card(score(value, axis=Axis.COST)) for seed in range(3)}
            for name, value in {"a": 1.0, "b": 2.0}.items()
        }
        assert verdicts(found) == ()

    def test_a_gap_within_the_spread_of_the_floor_decides_nothing(self):
        found = cards(vae=[3.0, 3.1, 2.9], gan=[1.0, 1.1, 1.0])
        key = ("mmd_rbf", "pixels@raw")
        assert pair(verdicts(found, {key: 2.5})).doubt == "spread"
        assert pair(verdicts(found, {key: 1.5})).ahead == "gan"

    def test_models_without_common_seeds_are_compared_by_welchs_test(self):
        found = cards(vae=[3.0, 3.1, 2.9])
        found["gan"] = {seed + 10: card(score(value)) for seed, value in enumerate([1.0, 1.3, 0.8, 1.0])}
        one = pair(verdicts(found))
        expected = stats.ttest_ind([3.0, 3.1, 2.9], [1.0, 1.3, 0.8, 1.0], equal_var=False)
        assert (one.test, one.seeds, one.ahead) == ("Welch", 3, "gan")
        assert one.p_value == pytest.approx(expected.pvalue)
        assert one.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))

    def test_one_gap_among_many_must_be_clearer(self):
        close = {"vae": [1.0, 1.3, 1.2], "gan": [0.0, 0.1, 0.3]}
        assert pair(verdicts(cards(**close))).ahead == "gan"
        many = {
            name: {
                seed: card(score(value), *(score(0.1 * (-1) ** (seed + other), f"m{other}") for other in range(19)))
                for seed, value in enumerate(found)
            }
            for name, found in close.items()
        }
        first = next(one for one in verdicts(many) if isinstance(one, PairVerdict))
        assert (first.family, first.doubt) == (20, "interval")
        assert first.interval[0] < 0 < first.interval[1]


class TestHolm:
    @settings(deadline=None)
    @given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
    def test_agrees_with_the_definition(self, p_values):
        ordered = sorted(p_values)
        expected = np.maximum.accumulate([min(1, (len(ordered) - i) * p) for i, p in enumerate(ordered)])
        assert sorted(one.p_value for one in holm(p_values)) == pytest.approx(list(expected))

    def test_no_effects_are_called_decided_in_5_of_100_families(self):
        draw = np.random.default_rng(3)
        wrong = np.mean([min(one.p_value for one in holm(draw.uniform(size=10))) <= 0.05 for _ in range(2000)])
        assert wrong == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))

    @pytest.mark.parametrize("seed", range(20))
    def test_the_interval_excludes_0_exactly_where_the_p_value_decides(self, seed):
        draw = np.random.default_rng(seed)
        gaps = [paired_gap(draw.normal(shift, 1, 5), draw.normal(0, 1, 5)) for shift in (0, 2, 4, 8, 16)]
        for gap, one in zip(gaps, holm([gap.p_value for gap in gaps]), strict=True):
            low, high = gap.interval(one.level)
            assert (low > 0 or high < 0) == (one.p_value <= 0.05)


class TestCopyVerdicts:
    @staticmethod
    def judged(shares, floor=0.01):
        made = {
            seed: card(score(share, "copy_rate", axis=Axis.MEMORISATION, floor=floor))
            for seed, share in enumerate(shares)
        }
        (only,) = [verdict for verdict in verdicts({"gan": made}) if isinstance(verdict, CopyVerdict)]
        return only

    def test_more_copies_than_real_data_on_every_seed_are_called_copies(self):
        assert self.judged([0.20, 0.21, 0.19]).copies is True

    def test_a_share_that_may_be_the_floor_is_not_called_copies(self):
        assert self.judged([0.0, 0.05, 0.01]).copies is False

    def test_one_run_is_called_copying_only_beyond_the_spread_of_its_sample(self):
        # 100 samples: the share 0.03 has a standard error of 0.017.
        assert self.judged([0.03]).copies is False
        assert self.judged([0.30]).copies is True

    def test_without_a_floor_nothing_is_said(self):
        assert self.judged([0.5, 0.5, 0.5], floor=None).copies is None


def test_controls_are_compared_with_every_model_and_not_with_one_another():
    values = {"vae": [1.0, 1.1, 0.9], "gaussian": [3.0, 3.1, 3.2], "noise": [9.0, 9.3, 9.1]}
    found = verdicts(cards(**values), controls=("gaussian", "noise"))
    assert [(one.first, one.second, one.ahead) for one in found if isinstance(one, PairVerdict)] == [
        ("vae", "gaussian", "vae"),
        ("vae", "noise", "vae"),
    ]
