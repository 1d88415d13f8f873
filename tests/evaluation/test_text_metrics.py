"""Text is judged by its words: values worked out by hand, and what each metric must not be moved by."""

import math
from collections import Counter

import numpy as np
import pytest
from synthetic import points as vectors
from text_made_up import SPEC, points_of, sentence_dataset, tokens_of, vector_context

from tvir.contracts.data import ImageSpec, TextSpec, VectorSpec
from tvir.contracts.metric import Context
from tvir.contracts.model import HasLikelihood
from tvir.evaluation.bleu import References, mean_bleu, self_bleu
from tvir.evaluation.features.reader import Reader
from tvir.evaluation.features.word_counts import WordCounts
from tvir.evaluation.kneser_ney import BEGIN, STOP, UNKNOWN, KneserNey
from tvir.evaluation.metrics.bleu import Bleu
from tvir.evaluation.metrics.distinct import Distinct
from tvir.evaluation.metrics.length_w1 import LengthW1
from tvir.evaluation.metrics.likelihood import bits_per_dimension
from tvir.evaluation.metrics.mauve import curve_area, mauve
from tvir.evaluation.metrics.ngram_divergence import NgramDivergence, jensen_shannon
from tvir.evaluation.metrics.reverse_perplexity import ReversePerplexity
from tvir.evaluation.metrics.self_bleu import SelfBleu
from tvir.evaluation.metrics.text_copies import TextCopies
from tvir.evaluation.metrics.vocabulary_share import VocabularyShare
from tvir.evaluation.metrics.zipf_distance import ZipfDistance, rank_distance
from tvir.evaluation.scorecard import Judge, find_metrics
from tvir.evaluation.words import run_counts, sentences, split_words

OF_TEXT = [
    Bleu, SelfBleu, NgramDivergence, Distinct, LengthW1, ZipfDistance, VocabularyShare, ReversePerplexity, TextCopies,
]  # fmt: skip


def context(train=()):
    return Context(spec=SPEC, train=points_of(train), held_out=points_of([]))


def measured(metric, real, generated, train=()):
    return {name: value for name, _, value in metric.measure(points_of(real), points_of(generated), context(train))}


def test_words_keep_their_apostrophes_and_marks_stand_alone():
    assert split_words("Зоря-зоряниця, п’ять; 3.") == ("Зоря-зоряниця", ",", "п’ять", ";", "3", ".")
    found = sentences(points_of(["a b", "", "c"]), SPEC)
    assert found.all == (("a", "b"), (), ("c",))
    assert found[np.array([2, 0])].all == (("c",), ("a", "b"))


def test_tokens_that_are_no_text_are_words_themselves():
    spec = TextSpec(vocabulary=9, length=4)
    assert sentences(vectors([[3, 5, 0, 0]]), spec).all == (("3.0", "5.0"),)


def test_bleu_is_that_of_the_paper_by_hand():
    # Papineni et al. 2002, example 2: clipping leaves 2 of 7 words.
    the = ("the",) * 7
    references = [split_words("the cat is on the mat"), split_words("there is a cat on the mat")]
    assert References(references, 1).bleu(the, 1) == pytest.approx(2 / 7)
    # One word of three and no pair of two: 1/3 and 0.1/2, and one word too short.
    short, long = ("a", "x", "y"), ("a", "b", "c", "d")
    expected = math.exp(1 - 4 / 3) * math.sqrt(1 / 3 * 0.1 / 2)
    assert mean_bleu([short], [long], 2) == pytest.approx(expected)


def test_a_text_is_compared_with_all_others_and_not_with_itself():
    texts = [("a", "b"), ("a", "b"), ("c", "d")]
    assert self_bleu(texts, [1]) == [pytest.approx(2 / 3)]
    assert self_bleu([("a", "a"), ("a",)], [1]) == [pytest.approx((1 / 2 + math.exp(1 - 2)) / 2)]
    by_hand = [mean_bleu([text], texts[:i] + texts[i + 1 :], 2) for i, text in enumerate(texts)]
    assert self_bleu(texts, [2]) == [pytest.approx(np.mean(by_hand))]


def test_jensen_shannon_is_that_of_two_coins():
    left, right = Counter({("a",): 3, ("b",): 1}), Counter({("a",): 10, ("b",): 30})
    mixed = 0.75 * math.log2(0.75 / 0.5) + 0.25 * math.log2(0.25 / 0.5)
    assert jensen_shannon(left, right) == pytest.approx(mixed)
    assert jensen_shannon(left, left) == 0.0


def test_kneser_ney_is_that_of_the_formula_by_hand():
    # Of the five pairs four occur once and one twice: the discount is 4 / (4 + 2 * 1).
    model = KneserNey([("a", "b"), ("a", "c")], {"a", "b", "c"}, order=2)
    assert model.probability(("a",), "b") == pytest.approx((1 - 2 / 3) / 2 + 2 / 3 * 2 / 2 * _unigram("b"))


def _unigram(word):
    # Pairs: (begin, a) twice, (a, b), (a, c), (b, stop), (c, stop) once: words follow 1, 1, 1 and 2 kinds of words.
    kinds = {"a": 1, "b": 1, "c": 1, STOP: 2}
    discount = 3 / (3 + 2 * 1)
    return max(kinds[word] - discount, 0) / 5 + discount * 4 / 5 / 5


@pytest.mark.parametrize("before", [(BEGIN, BEGIN), (BEGIN, "a"), ("a", "b"), ("never", "seen"), ("b", UNKNOWN)])
def test_the_probabilities_of_all_words_add_up_to_one(before):
    texts = [tuple(text) for text in ("abcab", "ba", "cab", "xyz")]
    model = KneserNey(texts, set("abc"), order=3)
    assert sum(model.probability(before, word) for word in [*"abc", UNKNOWN, STOP]) == pytest.approx(1, abs=1e-12)


def test_perplexity_is_the_number_of_words_that_are_equally_likely():
    assert KneserNey([], {"a", "b", "c"}).perplexity([("a", "b")]) == pytest.approx(5)


def test_equal_frequencies_fill_the_area_and_disjoint_ones_nearly_none():
    assert curve_area(np.array([9, 1, 5]), np.array([90_000, 10_000, 50_000])) == pytest.approx(1, abs=0.1)
    same, apart = np.array([1000, 0]), np.array([0, 1000])
    assert curve_area(same, same) == pytest.approx(1)
    # Far apart, R = w P + (1 - w) Q has KL(Q|R) = -log(1 - w) and KL(P|R) = -log w: the curve is x = (1-w)^5, y = w^5.
    grid = np.linspace(0, 1, 100_001)
    expected = float(np.trapezoid((grid**5)[::-1], ((1 - grid) ** 5)[::-1]))
    assert curve_area(same * 10**6, apart * 10**6) == pytest.approx(expected, abs=1e-3)


def test_features_of_one_distribution_score_near_one_and_shifted_ones_do_not():
    drawing = np.random.default_rng(0)
    left, right = drawing.normal(size=(2, 600, 3))
    assert mauve(left, right) > 0.95
    assert mauve(left, right + 2) < 0.5 < mauve(left, right + 0.5) < mauve(left, right)
    assert mauve(left, right + 2) == mauve(left, right + 2)


def test_distinct_counts_kinds_and_all():
    assert measured(Distinct(), ["a"], ["a a b", "a"]) == {
        "distinct_1": 0.5, "distinct_2": 1.0, "distinct_3": 1.0,
    }  # fmt: skip


def test_lengths_are_words_apart():
    assert measured(LengthW1(), ["a a a", "a"], ["a a", "a a a a"]) == {"length_w1": 1.0}


def test_ranks_weigh_less_the_further_down():
    # Frequencies 1/2, 1/2 against 1: log10 2 at the first rank, and half an occurrence of one at the second.
    expected = (math.log10(2) + math.log10(1) / 2 * 0) / 1.5
    assert rank_distance(np.array([1.0, 1.0]), np.array([1.0])) == pytest.approx(expected)
    assert measured(ZipfDistance(), ["a a b"], ["c c d"]) == {"zipf_distance": 0.0}


def test_vocabulary_counts_each_word_once():
    assert measured(VocabularyShare(), ["a b c d a a"], ["d d c x"]) == {"vocabulary_share": 0.5}


def test_copies_are_runs_of_eight_words_and_whole_texts():
    train = ["a b c d e f g h i", "x"]
    found = measured(TextCopies(), ["q"], ["z a b c d e f g h", "x", "q"], train)
    assert found == {"ngram_copy_rate": 0.5, "text_copy_rate": pytest.approx(1 / 3)}
    assert "ngram_copy_rate" not in measured(TextCopies(), ["q"], ["x"], train)


def test_who_has_read_real_text_foresees_it_better():
    data = sentence_dataset()
    train, real, other = (split.spec.texts(split.rows) for split in (data.train, data.validation, data.test))
    honest = measured(ReversePerplexity(), real, other, train)["reverse_perplexity"]
    shuffled = [" ".join(reversed(text.split())) for text in other]
    repeated = other[:10] * (len(other) // 10)
    assert honest < measured(ReversePerplexity(), real, repeated, train)["reverse_perplexity"]
    assert honest < measured(ReversePerplexity(), real, shuffled, train)["reverse_perplexity"]


@pytest.mark.parametrize("metric", OF_TEXT, ids=lambda metric: metric.__name__)
def test_the_order_of_texts_moves_nothing(metric):
    data = sentence_dataset()
    train, real, other = (split.spec.texts(split.rows) for split in (data.train, data.validation, data.test))
    there, back = measured(metric(), real, other, train), measured(metric(), real[::-1], other[::-1], train)
    assert there == pytest.approx(back)


def test_metrics_of_text_are_for_text_and_those_of_images_are_not():
    text, image = context(["a"]), _context_of(ImageSpec(channels=1, height=8, width=8))
    vector = vector_context()
    for metric in find_metrics():
        of_text = any(isinstance(metric, kind) for kind in OF_TEXT) or type(metric).__name__ == "Mauve"
        if of_text:
            assert not metric.applies(vectors(np.zeros((4, 2))), image)
            assert not metric.applies(vectors(np.zeros((4, 2))), vector)
        elif type(metric).__name__ in ("CopyRate", "SpectrumW1", "MsSsimDiversity"):
            assert not metric.applies(points_of(["a"]), text)


def _context_of(spec):
    nothing = vectors(np.zeros((3, 2)))
    return Context(spec=spec, train=nothing, held_out=nothing)


def test_a_vector_is_no_text():
    assert WordCounts.prepare(_dataset_of_vectors(), seed=0, report=_silent) is None
    assert Reader.prepare(_dataset_of_vectors(), seed=0, report=_silent) is None


def _dataset_of_vectors():
    from synthetic import ring_dataset

    data = ring_dataset(20)
    assert isinstance(data.spec, VectorSpec)
    return data


def _silent(*_):
    pass


def test_words_and_reader_are_spaces_that_stay_the_same():
    data = sentence_dataset()
    for kind in (WordCounts, Reader):
        first, again = (kind.prepare(data, seed=0, report=_silent) for _ in range(2))
        rows = data.test.rows[:5]
        assert first.name == again.name
        np.testing.assert_array_equal(first.features(rows), again.features(rows))
        assert first.features(rows).shape == (5, 64)
        # What fills a sequence after its end is not looked at, and neither are other texts.
        np.testing.assert_allclose(first.features(rows[2:3])[0], first.features(rows)[2], atol=1e-5)


def test_an_honest_writer_scores_the_floor_and_a_repeater_is_caught():
    data = sentence_dataset()
    judge = Judge(data)
    count = judge.sample_count
    honest = {score.metric: score for score in judge.judge(data.test.rows, subject="the reference itself").scores}
    assert honest["ngram_js_1"].value == 0.0
    repeated = {s.metric: s for s in judge.judge(np.repeat(data.validation.rows[:1], count, 0), subject="one").scores}
    assert repeated["self_bleu_4"].value == pytest.approx(1.0)
    assert repeated["distinct_1"].value < honest["distinct_1"].floor / 5
    assert repeated["mauve"].value < 0.2 < honest["mauve"].floor
    copied = {s.metric: s for s in judge.judge(data.train.rows[:count], subject="copies").scores}
    assert copied["text_copy_rate"].value == 1.0


class _Uniform(HasLikelihood):
    """Gives every text as many nats as it is asked to."""

    def __init__(self, spec, nats):
        super().__init__(spec, self.Config())
        self.nats = nats

    def log_prob(self, examples, condition=None):
        return -self.nats * examples.new_ones(len(examples)).double()

    def stages(self):
        return []

    def diagram(self):
        raise NotImplementedError

    def generate(self, noise, condition):
        raise NotImplementedError


def test_bits_are_counted_for_each_character_that_is_written():
    rows = tokens_of(["abc", "d"])
    assert bits_per_dimension(_Uniform(SPEC, 8 * math.log(2)), rows) == pytest.approx(16 / 4)


def test_runs_are_counted_once_for_all_who_ask():
    points = points_of(["a b a"])
    assert run_counts(points, SPEC, 1) is run_counts(points, SPEC, 1)
    assert run_counts(points, SPEC, 1) == {("a",): 2, ("b",): 1}
