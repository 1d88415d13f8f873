"""A discriminator that knows the training examples by heart."""

from __future__ import annotations

from tvir.contracts.health import Finding
from tvir.contracts.model import JudgesExamples
from tvir.health.check import Case, ModelCheck, flags_for

_LARGEST_RATIO = 0.5
_SURE = 3.0
"""Standard errors by which training examples must be preferred to held-out ones."""


class DiscriminatorOverfitting(ModelCheck):
    """Held-out examples look more like fakes to the discriminator than like the training examples.

    With D the logits, r_v = (E[D(train)] - E[D(held out)]) / (E[D(train)] - E[D(fake)]): 0 where training examples
    are nothing special, 1 where held-out ones are taken for fakes. Ill above 0.5, where the difference in the
    numerator exceeds three of its standard errors. Beside it the share of training examples with a positive logit
    less that with a negative one, r_t, which needs no held-out examples but means something only where the logits
    have a zero: not with relativistic losses.

    Reference:
        Karras et al. 2020, Training Generative Adversarial Networks with Limited Data, arXiv 2006.06676, equation 1.

    Known failure:
        With few held-out examples only a coarse difference is seen.
    """

    earliest = 0.08

    def examine(self, case: Case) -> Finding | None:
        model = case.model
        if not isinstance(model, JudgesExamples) or "critic" not in case.history.players:
            return None
        if len(case.dataset.validation) < 2 or len(case.dataset.train) < 2:
            raise ValueError("there are too few held-out examples")
        train, fake = case.logits_of_train.double(), case.logits_of_fakes.double()
        held_out = case.judged(*case.held_out).double()
        gap = float(train.mean() - held_out.mean())
        error = float((train.var() / len(train) + held_out.var() / len(held_out)).sqrt())
        whole = float(train.mean() - fake.mean())
        ratio = gap / whole if whole > 0 else 0.0
        flags = flags_for(
            model.config,
            ("augmentation", "adaptive"),
            ("regulariser", "r1-r2:weight=10"),
            ("critic_learning_rate", float(model.config.as_json().get("critic_learning_rate", 0.0)) / 4),
        )
        return self.finding(
            ratio > _LARGEST_RATIO and gap > _SURE * error,
            flags,
            ratio=ratio,
            train=float(train.mean()),
            held_out=float(held_out.mean()),
            fake=float(fake.mean()),
            sign=float(train.sign().mean()),
        )
