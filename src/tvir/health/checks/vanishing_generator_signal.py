"""A generator that is told nothing."""

from __future__ import annotations

import torch

from tvir.contracts.health import Finding
from tvir.contracts.model import JudgesExamples
from tvir.health.check import Case, ModelCheck, flags_for
from tvir.health.history import quarters
from tvir.models.gan.game import GameConfig

_LEAST_SLOPE = 0.01
_LEAST_SHARE = 1e-3


class VanishingGeneratorSignal(ModelCheck):
    """The generator's loss hardly changes with the logits of its fakes, or its gradients have dried up.

    The slope of the loss with respect to the logits, the mean of its magnitude over fakes, is 1 for the hinge and
    Wasserstein losses and close to 0 where the loss saturates: ill below 0.01. Gradients have dried up where the
    median norm of the last quarter of the stage is below a thousandth of that of the first.

    Reference:
        Arjovsky and Bottou 2017, Towards Principled Methods for Training Generative Adversarial Networks, arXiv
        1701.04862, theorem 2.4.

    Known failure:
        A relativistic loss is flat as well where fakes are preferred to real examples: the critic has lost then.
    """

    earliest = 0.04

    def examine(self, case: Case) -> Finding | None:
        model, config = case.model, case.model.config
        if (
            not isinstance(model, JudgesExamples)
            or not isinstance(config, GameConfig)
            or "critic" not in case.history.players
        ):
            return None
        real, fake = case.logits_of_train, case.logits_of_fakes
        count = min(len(real), len(fake))
        with torch.enable_grad():
            logits = fake[:count].detach().requires_grad_()
            (slopes,) = torch.autograd.grad(config.loss.generator(real[:count], logits), logits)
        slope = float(slopes.abs().sum())
        first, last = quarters(case.history.norms("generator")) or (1.0, 1.0)
        share = last / first if first > 0 else 1.0
        return self.finding(
            slope < _LEAST_SLOPE or share < _LEAST_SHARE,
            flags_for(
                config, ("loss", "non-saturating"), ("loss", "relativistic-paired"), ("regulariser", "r1-r2:weight=1")
            ),
            slope=slope,
            share=share,
        )
