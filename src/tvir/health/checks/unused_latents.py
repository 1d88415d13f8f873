"""Latents that carry nothing."""

from __future__ import annotations

from dataclasses import replace

from tvir.contracts.health import Condition, Finding
from tvir.health.check import Case, ModelCheck, flags_for
from tvir.health.posterior import latents_of


class UnusedLatents(ModelCheck):
    """Fewer than half of the latents are active: Var_x(E[z|x]) > 0.01.

    A remark and no illness: the others follow the prior, cost a little time and do no harm. Where none is active,
    posterior collapse says so.

    Reference:
        Burda et al. 2016, Importance Weighted Autoencoders, arXiv 1509.00519, section 5.2.

    Known failure:
        Early in training latents may still wake up.
    """

    earliest = 0.5

    def examine(self, case: Case) -> Finding | None:
        latents = latents_of(case)
        if latents is None:
            return None
        count, active = len(latents.variance), latents.active
        seen = self.finding(
            0 < active < count / 2,
            flags_for(case.model.config, ("latent", 2 ** (max(2, active) - 1).bit_length())),
            active=active,
            latents=count,
            largest=float(latents.divergence.max()),
            smallest=float(latents.divergence.min()),
        )
        return seen if seen.is_well else replace(seen, condition=Condition.REMARK)
