"""Samples that are all alike."""

from __future__ import annotations

import torch
from torch import Tensor

from tvir.contracts.data import TextSpec
from tvir.contracts.health import Finding
from tvir.health.check import Case, ModelCheck, flags_for

_LEAST_SHARE = 0.5


class SampleCollapse(ModelCheck):
    """Two samples are on average less than half as far apart as two held-out examples, in plain numbers.

    Reference:
        Salimans et al. 2016, Improved Techniques for Training GANs, arXiv 1606.03498, section 3.2: a collapse
        shows in the distances between samples.

    Known failure:
        Blurred images are nearer to each other as well; blind to missing modes that leave the others far apart.
    """

    earliest = 0.15
    judges_samples = True

    def examine(self, case: Case) -> Finding | None:
        if isinstance(case.model.spec, TextSpec):
            return None
        real = _mean_distance(case.held_out[0])
        if real == 0:
            raise ValueError("all held-out examples are one")
        share = _mean_distance(case.made) / real
        config = case.model.config
        flags = flags_for(
            config,
            ("loss", "relativistic-paired"),
            ("pretraining", "vae"),
            ("pack", 2),
            ("regulariser", "r1-r2:weight=1"),
            ("beta_warmup", 0.3),
        )
        return self.finding(share < _LEAST_SHARE, flags, share=share)


def _mean_distance(examples: Tensor) -> float:
    """Between examples and their neighbours in the row, each way round: unbiased, and linear in their number."""
    flat = examples.flatten(1).double()
    if len(flat) < 2:
        raise ValueError("there are too few examples to compare")
    shifts = range(1, min(8, len(flat)))
    return float(torch.stack([(flat - flat.roll(shift, 0)).norm(dim=1).mean() for shift in shifts]).mean())
