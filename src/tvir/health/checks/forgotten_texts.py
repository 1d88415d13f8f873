"""A generator of text that a critic has talked out of what it knew."""

from __future__ import annotations

from tvir.contracts.data import TextSpec
from tvir.contracts.health import Finding
from tvir.health.check import Case, ModelCheck, flags_for
from tvir.models.hybrid.text_gan import TextGan

_MOST_RISE = 0.1


class ForgottenTexts(ModelCheck):
    """Training texts are more than 10 % less probable (in nats) to the generator than they were as the game began.

    Held-out texts are shown beside them. A game that only sharpens what the generator knows also lets the nats rise,
    so the sign is one of lost variety.

    Reference:
        NLL-test as the guard of text GANs: Lu et al. 2018, Neural Text Generation: Past, Present and Beyond, arXiv
        1803.07133; Caccia et al. 2020, Language GANs Falling Short, arXiv 1811.02549. The threshold is a choice.

    Known failure:
        The nats are a bound with one latent for each text: loose where latents say much.
    """

    judges_samples = True

    def examine(self, case: Case) -> Finding | None:
        model = case.model
        if not isinstance(model, TextGan) or not isinstance(model.spec, TextSpec) or not float(model.start_surprise):
            return None
        start, now = float(model.start_surprise), float(model.surprise(case.train[0]))
        config = model.config
        return self.finding(
            now > (1 + _MOST_RISE) * start,
            flags_for(
                config,
                ("generator_learning_rate", config.generator_learning_rate / 4),
                ("pretraining_share", 0.9),
            ),
            start=start,
            now=now,
            held_out=float(model.surprise(case.held_out[0])),
        )
