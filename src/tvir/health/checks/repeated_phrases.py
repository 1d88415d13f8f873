"""Texts that say the same in the same words."""

from __future__ import annotations

import numpy as np

from tvir.contracts.data import TextSpec
from tvir.contracts.health import Finding
from tvir.contracts.metric import Points
from tvir.evaluation.bleu import self_bleu
from tvir.evaluation.words import sentences
from tvir.health.check import Case, ModelCheck, flags_for

_MOST_GAP = 0.1
_ORDER = 4


class RepeatedPhrases(ModelCheck):
    """Self-BLEU-4 of samples is more than 0.1 above that of as many held-out texts.

    Reference:
        Zhu et al. 2018, Texygen, arXiv 1802.01886, for self-BLEU; that real text is the measure and not 0: Caccia et
        al. 2020, Language GANs Falling Short, arXiv 1811.02549. The threshold is a choice.

    Known failure:
        Cautious decoding (a low temperature) repeats phrases too; the samples looked at are drawn at temperature 1.
    """

    earliest = 0.15
    judges_samples = True

    def examine(self, case: Case) -> Finding | None:
        spec = case.model.spec
        if not isinstance(spec, TextSpec):
            return None
        real, made = spec.to_rows(case.held_out[0]), spec.to_rows(case.made)
        count = min(len(real), len(made))
        if count < 2:
            raise ValueError("there are too few texts to compare")
        scores = [
            self_bleu(sentences(Points(rows=np.asarray(rows[:count]), features={}), spec).all, [_ORDER])[0]
            for rows in (made, real)
        ]
        flags = flags_for(
            case.model.config,
            ("generator_learning_rate", 5e-5),
            ("pretraining", "vae"),
            ("sharpness", 10.0),
        )
        return self.finding(scores[0] > scores[1] + _MOST_GAP, flags, made=scores[0], real=scores[1])
