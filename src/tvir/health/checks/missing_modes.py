"""Parts of the data that are never made."""

from __future__ import annotations

import numpy as np

from tvir.contracts.data import Array, Modes
from tvir.contracts.health import Finding
from tvir.evaluation.metrics.class_histogram import FOUND_SHARE, class_counts, real_class_counts
from tvir.evaluation.modes import SIGMAS
from tvir.health.check import Case, ModelCheck, flags_for

_LEAST_SHARE = 0.5
_DOUBT = 0.01


class MissingModes(ModelCheck):
    """A mode of a toy, or a class of labelled data, is made less than a tenth as often as it is real.

    So few samples are no accident: with a confidence of 99 % over all modes together (Poisson counts, Bonferroni) a
    mode that is called missing is made less than half as often as it is real. Points of a toy belong to the nearest
    centre and count within three standard deviations of it; classes are named by the classifier of the scorecard, of
    samples and of held-out examples alike.

    Reference:
        Srivastava et al. 2017, VEEGAN, arXiv 1705.07761; Lin et al. 2018, PacGAN, arXiv 1712.04086.

    Known failure:
        Blind to what is missing inside a class, and to a mode of which too few samples are to be expected: about 13
        for 8 modes, 16 for 25. Where that is all of them nothing is said. Modes may still be found late in a training.
    """

    earliest = 0.5
    fewest_steps = 300
    judges_samples = True

    def examine(self, case: Case) -> Finding | None:
        rows = case.model.spec.to_rows(case.made)
        if case.dataset.modes is not None:
            made, known = _made_of(rows, case.dataset.modes)
        elif case.classify is not None:
            spec = case.dataset.spec
            made = class_counts(case.classify(rows), spec)
            held_out, _ = case.held_out
            known = real_class_counts(case.classify(case.model.spec.to_rows(held_out)), spec)
        else:
            return None
        # Imported where it is needed: every training walks the checks, few look for modes.
        from scipy.special import gammaincinv

        expected, there = known / known.sum() * len(rows), known > 0
        # The exact upper limit of the mean of a Poisson count: Garwood 1936.
        sure = 1 - _DOUBT / there.sum()
        if not (gammaincinv(1, sure) < _LEAST_SHARE * expected).any():
            return None
        most = gammaincinv(made + 1, sure)
        missing = there & (made < np.maximum(1, FOUND_SHARE * expected)) & (most < _LEAST_SHARE * expected)
        found = int(there.sum() - missing.sum())
        config = case.model.config
        flags = flags_for(
            config,
            ("loss", "relativistic-paired"),
            ("pretraining", "vae"),
            ("pack", 2),
            ("regulariser", "r1-r2:weight=1"),
        )
        return self.finding(bool(missing.any()), flags, found=found, modes=int(there.sum()))


def _made_of(rows: Array, modes: Modes) -> tuple[Array, Array]:
    """How many rows lie at each mode, and how many would if all were made alike."""
    centres = np.asarray(modes.centres, dtype=np.float64)
    distances = np.linalg.norm(rows[:, None].astype(np.float64) - centres, axis=2)
    close = distances.min(1) <= SIGMAS * modes.sigma
    made = np.bincount(distances.argmin(1)[close], minlength=len(centres)).astype(np.float64)
    return made, np.full(len(centres), len(rows) / len(centres))
