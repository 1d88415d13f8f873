"""Networks that read noisy examples and how far along they are, and answer in the shape of the examples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.third_party import import_beside_torchvision
from tvir.networks.building import HIDDEN
from tvir.networks.convolutional import feature_sizes, finest_channels
from tvir.networks.mlp import Waves, scaled

_FINEST = 16
"""Images with a longer side are read in patches of 2x2, so that no features have their full resolution."""

_GROUP = 4
"""Channels that are normalised together; channels are a multiple of it."""

_TIMES = 1000.0
"""The U-Net tells times apart that lie about 1 from each other; ours lie between 0 and 1."""

_TIME_OCTAVES = 8
"""Frequencies at which a perceptron sees the time."""


class ImageDenoiser(nn.Module):
    """A U-Net with the noise level added to the features of every block.

    Ho et al. 2020, Denoising Diffusion Probabilistic Models, arXiv 2006.11239, appendix B; the network is diffusers'.
    Large images are read in patches (Hoogeboom et al. 2023, Simple Diffusion, arXiv 2301.11093, section 3.2), and
    filled up with zeros to sides that can be halved.

    Args:
        channels: Of the images.
        height: In pixels.
        width: In pixels.
        dial: Channels of features about 16 pixels wide.
    """

    def __init__(self, channels: int, height: int, width: int, dial: int) -> None:
        super().__init__()
        levels = len(feature_sizes(height, width))
        finest = _GROUP * -(-finest_channels(height, width, dial) // _GROUP)
        self.patch = 2 if max(height, width) > _FINEST else 1
        self.step = self.patch * 2 ** (levels - 1)
        unet = import_beside_torchvision("diffusers.models.unets.unet_2d").UNet2DModel
        self.unet = unet(
            in_channels=channels * self.patch**2,
            out_channels=channels * self.patch**2,
            block_out_channels=tuple(finest * 2**level for level in range(levels)),
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            layers_per_block=1,
            norm_num_groups=finest // _GROUP,
            attention_head_dim=finest,
        )

    def forward(self, images: Tensor, times: Tensor) -> Tensor:
        """Answer for every pixel.

        Args:
            images: (N, channels, height, width).
            times: How far along each image is, (N,), about between 0 and 1.
        """
        height, width = images.shape[2:]
        padded = F.pad(images, (0, -width % self.step, 0, -height % self.step))
        answer = self.unet(F.pixel_unshuffle(padded, self.patch), _TIMES * times).sample
        return F.pixel_shuffle(answer, self.patch)[:, :, :height, :width]


class VectorDenoiser(nn.Module):
    """A perceptron with residual layers, each of which is told the time.

    Args:
        features: Length of a vector.
        hidden: Size of each layer.
        layers: How many.
    """

    def __init__(self, features: int, hidden: int, layers: int = 4) -> None:
        super().__init__()
        self.waves, self.time_waves = Waves(), Waves(_TIME_OCTAVES)
        self.input = nn.Linear(features * self.waves.outputs, hidden)
        self.normalisations = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(layers))
        self.times = nn.ModuleList(nn.Linear(self.time_waves.outputs, hidden) for _ in range(layers))
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(layers))
        self.output = scaled(nn.Linear(hidden, features), gain=0.1)

    def forward(self, vectors: Tensor, times: Tensor) -> Tensor:
        """Answer for every number.

        Args:
            vectors: (N, features).
            times: How far along each vector is, (N,), about between 0 and 1.
        """
        features, seen = self.input(self.waves(vectors)), self.time_waves(times[:, None])
        for normalise, tell, layer in zip(self.normalisations, self.times, self.layers, strict=True):
            features = features + layer(F.silu(normalise(features) + tell(seen)))
        with torch.autocast(features.device.type, enabled=False):
            return self.output(F.silu(features.float()))


def denoiser_for(spec: DataSpec, width: int) -> nn.Module:
    """The network that suits the data: from noisy examples (N, *shape) and times (N,) to (N, *shape).

    Args:
        spec: The data.
        width: Channels of features about 16 pixels wide; a quarter of a perceptron's hidden units.

    Raises:
        UsageError: There is none.
    """
    match spec:
        case VectorSpec():
            return VectorDenoiser(spec.features, HIDDEN * width)
        case ImageSpec():
            return ImageDenoiser(*spec.shape, dial=width)
    raise UsageError(f"there are no networks for {type(spec).__name__} yet; use images or vectors")
