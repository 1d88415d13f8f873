"""A decoder that passes its latents over."""

from __future__ import annotations

from tvir.contracts.health import Finding
from tvir.health.check import Case, ModelCheck, flags_for
from tvir.health.posterior import latents_of


class PosteriorCollapse(ModelCheck):
    """No latent carries anything of the example: Var_x(E[z|x]) <= 0.01 for every one of them.

    Reference:
        The threshold: Burda et al. 2016, Importance Weighted Autoencoders, arXiv 1509.00519, section 5.2.

    Known failure:
        A latent may be active and say nothing useful.
    """

    earliest = 0.08

    def examine(self, case: Case) -> Finding | None:
        latents = latents_of(case)
        if latents is None:
            return None
        config = case.model.config
        beta = float(config.as_json().get("beta", 1.0))
        return self.finding(
            latents.active == 0,
            flags_for(config, ("beta_warmup", 0.3), ("beta", 0.1 if beta > 0.2 else beta / 2)),
            active=latents.active,
            latents=len(latents.variance),
            divergence=float(latents.divergence.sum()),
        )
