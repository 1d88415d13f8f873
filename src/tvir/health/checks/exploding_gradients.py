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
    """A player's gradients and the losses of a phase have both run away within the last stage.

    Medians of the last quarter of the stage are compared with those of the first: ill where the norm of a player's
    gradients has grown more than 30 times and the terms of one phase, in magnitude, together more than 10 times. The
    losses belong to it because a likelihood with a learned scale has growing gradients and falling losses in perfect
    health; terms are taken together because one that begins at 0 (a divergence, the loss of a critic that was ahead)
    may grow as it likes beside the others.

    Reference:
        Pascanu et al. 2013, On the difficulty of training recurrent neural networks, arXiv 1211.5063; for critics
        without bounds, Gulrajani et al. 2017, arXiv 1704.00028, section 4.

    Known failure:
        Blind to what explodes within the first quarter; numbers that are not finite are reported by the trainer itself.
    """

    earliest = 0.04

    def read(self, history: History, config: ModelConfig) -> Finding | None:
        latest = history.latest
        found = [quarters(latest.norms(player)) for player in sorted(latest.players)]
        growths = [last / first for first, last in filter(None, found) if first > 0]
        runaways = [_growth(latest, phase) for phase in sorted({term.partition("/")[0] for term in latest.terms})]
        known_runaways = [runaway for runaway in runaways if runaway is not None]
        if not growths or not known_runaways:
            return None
        known = config.as_json()
        rates = [(name, float(rate) / 4) for name, rate in known.items() if name.endswith("learning_rate")]
        growth, runaway = max(growths), max(known_runaways)
        return self.finding(
            growth > _GROWTH and runaway > _LOSS_GROWTH,
            flags_for(config, ("regulariser", "r1-r2:weight=1"), *rates),
            growth=growth,
            loss_growth=runaway,
        )


def _growth(history: History, phase: str) -> float | None:
    """How many times all terms of a phase together have grown in magnitude."""
    terms = [term for term in history.terms if term.startswith(f"{phase}/")]
    found = [pair for term in terms if (pair := quarters(np.abs(history.losses(term))))]
    if not found:
        return None
    first, last = (sum(side) for side in zip(*found, strict=True))
    return last / max(first, 1e-3)
