"""Gradients that grow without end."""

from __future__ import annotations

import numpy as np

from tvir.contracts.health import Finding
from tvir.contracts.model import ModelConfig
from tvir.health.check import LogCheck, flags_for
from tvir.health.history import History, quarters

_GROWTH = 30.0
_LOSS_GROWTH = 10.0


class ExplodingGradients(LogCheck):
    """A player's gradients and the losses have both run away within the last stage.

    Medians of the last quarter of the stage are compared with those of the first: ill where the norm of a player's
    gradients has grown more than 30 times and the largest loss more than 10 times in magnitude. The losses belong to
    it because a likelihood with a learned scale has growing gradients and falling losses in perfect health.

    Reference:
        Pascanu et al. 2013, On the difficulty of training recurrent neural networks, arXiv 1211.5063; for critics
        without bounds, Gulrajani et al. 2017, arXiv 1704.00028, section 4.

    Known failure:
        Blind to what explodes within the first quarter; numbers that are not finite are reported by the trainer itself.
    """

    earliest = 0.04

    def read(self, history: History, config: ModelConfig) -> Finding | None:
        found = [quarters(history.norms(player)) for player in sorted(history.players)]
        growths = [last / first for first, last in filter(None, found) if first > 0]
        losses = [quarters(np.abs(history.losses(term))) for term in sorted(history.terms)]
        runaways = [last / max(first, 1e-3) for first, last in filter(None, losses)]
        if not growths or not runaways:
            return None
        known = config.as_json()
        rates = [(name, float(rate) / 4) for name, rate in known.items() if name.endswith("learning_rate")]
        growth, runaway = max(growths), max(runaways)
        return self.finding(
            growth > _GROWTH and runaway > _LOSS_GROWTH,
            flags_for(config, ("regulariser", "r1-r2:weight=1"), *rates),
            growth=growth,
            loss_growth=runaway,
        )
