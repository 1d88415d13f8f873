"""How the energy of images spreads over spatial frequencies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.remembering import remembered

_CHUNK = 512


class SpectrumW1(Metric):
    """1-Wasserstein distance between the radial power spectra of two sets of images.

    The power |FFT|^2 of every image less its mean is averaged over the set and summed over rings of equal spatial
    frequency; its shares are a distribution over frequencies from 0 to 1 (the Nyquist frequency). The distance is
    the mean shift of energy between frequencies.

    Reference:
        Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are Failing to Reproduce Spectral
        Distributions, arXiv 2003.01826.

    Sample size:
        A hundred images: it compares averages.

    Known failure:
        Blind to phase, so to what is where; blur and upsampling patterns move it, dropped classes hardly do.
    """

    quantities = (Quantity("spectrum_w1", Axis.STRUCTURE, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, ImageSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        require(generated, 1, "generated")
        first, second = radial_spectrum(real), radial_spectrum(generated)
        yield "spectrum_w1", "-", float((first.cumsum(0) - second.cumsum(0)).abs().sum() / len(first))


@remembered
def radial_spectrum(points: Points) -> Tensor:
    """Shares of the power in rings of equal width from frequency 0 to Nyquist and beyond it to the corners.

    Raises:
        ValueError: Every image is constant, so there is no power to share out.
    """
    height, width = points.rows.shape[1:3]
    total = torch.zeros(height, width // 2 + 1, dtype=torch.float64)
    weights = torch.full((width // 2 + 1,), 2.0, dtype=torch.float64)
    # A real image's spectrum is kept by half: all columns but the first and the middle one stand for two.
    weights[0] = 1
    if width % 2 == 0:
        weights[-1] = 1
    for start in range(0, len(points), _CHUNK):
        images = torch.from_numpy(np.asarray(points.rows[start : start + _CHUNK], dtype=np.float32))
        images = images.permute(0, 3, 1, 2)
        power = torch.fft.rfft2(images - images.mean((2, 3), keepdim=True)).abs().square()
        total += power.double().sum((0, 1)) * weights
    vertical, horizontal = torch.fft.fftfreq(height), torch.fft.rfftfreq(width)
    radius = 2 * torch.hypot(vertical[:, None], horizontal[None])
    rings = max(1, max(height, width) // 2)
    ring = (radius * rings).round().long().clamp_max(rings)
    shares = torch.zeros(rings + 1, dtype=torch.float64).index_add_(0, ring.flatten(), total.flatten())
    if float(shares.sum()) == 0:
        raise ValueError("every image is constant, which has no spectrum")
    return shares / shares.sum()
