"""The guards of text: what a game has made a generator forget, and texts that repeat each other."""

import numpy as np
import torch

from tvir.contracts.data import Dataset, Examples, TextSpec
from tvir.contracts.health import Condition
from tvir.health.check import Case
from tvir.health.checks.forgotten_texts import ForgottenTexts
from tvir.health.checks.repeated_phrases import RepeatedPhrases
from tvir.health.history import History
from tvir.models.autoregressive.language_model import LanguageModel
from tvir.models.control.training_copies import TrainingCopies
from tvir.models.hybrid.text_gan import TextGan

SPEC = TextSpec(vocabulary=30, length=8)
SMALLEST = LanguageModel.smallest()


def rows(count=60, seed=0):
    return np.random.default_rng(seed).integers(1, 30, (count, 8)).astype(SPEC.row_dtype)


def case_of(model, seed=0):
    splits = {name: Examples(SPEC, rows(seed=seed + n)) for n, name in enumerate(("train", "validation", "test"))}
    return Case(model.eval(), Dataset(reference="made", fingerprint="0", **splits), History([]), size=60)


def game(forgets):
    torch.manual_seed(0)
    model = TextGan(SPEC, TextGan.Config.from_json({**TextGan.smallest().as_json(), "pretraining": "mle"}))
    model.stages()[-1].prepare(Examples(SPEC, rows()))
    with torch.no_grad():
        model.writing_network.head.bias[1] += 20.0 if forgets else 0.0
    return case_of(model)


def test_a_generator_that_writes_one_word_only_has_forgotten_the_texts():
    with torch.no_grad():
        ill, well = (ForgottenTexts().examine(game(forgets)) for forgets in (True, False))
    assert ill.condition is Condition.ILL
    assert ill.flags[0] == "--generator-learning-rate 2.5e-05"
    assert ill.seen["now"] > ill.seen["start"]
    assert well.condition is Condition.WELL
    assert abs(well.seen["now"] - well.seen["start"]) < 1e-3


def test_nothing_is_forgotten_before_the_game_or_without_one():
    torch.manual_seed(0)
    for kind in (TextGan, LanguageModel):
        assert ForgottenTexts().examine(case_of(kind(SPEC, kind.smallest()))) is None


def test_samples_that_repeat_each_other_more_than_texts_do_are_ill():
    torch.manual_seed(0)
    copies = TrainingCopies(SPEC, TrainingCopies.smallest())
    for stage in copies.stages():
        stage.prepare(Examples(SPEC, rows(2)))
    few, many = (RepeatedPhrases().examine(case_of(model)) for model in (copies, LanguageModel(SPEC, SMALLEST)))
    assert few.condition is Condition.ILL
    assert few.seen["made"] > 0.9
    assert many.condition is Condition.WELL
