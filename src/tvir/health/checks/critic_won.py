"""A critic without an opponent."""

from __future__ import annotations

import torch

from tvir.contracts.health import Finding
from tvir.contracts.model import ModelConfig
from tvir.health.check import LogCheck, flags_for
from tvir.health.history import History, quarters
from tvir.models.gan.game import GameConfig

_LEAST_SHARE = 0.05


class CriticWon(LogCheck):
    """The critic's loss has long been near 0: the median of the last quarter is below 5 % of that of a blind critic.

    A blind critic gives every example the logit 0: a loss of 2 log 2 in the original game. Losses that know no winning,
    such as Wasserstein's, are passed over.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv 1406.2661, section 4; Arjovsky and Bottou 2017, arXiv
        1701.04862, theorem 2.1.

    Known failure:
        A critic may win for a while and be caught up with: it must have been ahead for a quarter of the stage.
    """

    earliest = 0.04

    def read(self, history: History, config: ModelConfig) -> Finding | None:
        curve = history.losses("critic/adversarial")
        medians = quarters(curve)
        if not isinstance(config, GameConfig) or medians is None:
            return None
        nothing = torch.zeros(1)
        blind = float(config.loss.critic(nothing, nothing))
        if blind <= 0:
            return None
        return self.finding(
            medians[1] < _LEAST_SHARE * blind,
            flags_for(
                config,
                ("regulariser", "r1-r2:weight=1"),
                ("critic_learning_rate", config.critic_learning_rate / 4),
                ("pretraining", "vae"),
            ),
            loss=medians[1],
            blind=blind,
        )
