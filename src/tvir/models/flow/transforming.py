"""What the layers of a flow do with the numbers of an example, as zuko transforms them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from tvir.contracts.choice import Choice
from tvir.contracts.data import DataSpec, ImageSpec
from tvir.contracts.third_party import need
from tvir.networks.building import HIDDEN
from tvir.networks.conditioners import conditioner_for, patch_for

if TYPE_CHECKING:
    from torch.distributions import Transform

need("zuko")


class Transformation(Choice):
    """How a layer changes the numbers of an example."""

    @abstractmethod
    def layer(self, spec: DataSpec, number: int, width: int) -> Layer:
        """A layer for such data.

        Args:
            spec: The data.
            number: Which layer of the flow it is, from 0.
            width: The size dial.
        """


@dataclass(frozen=True, kw_only=True)
class Affine(Transformation):
    """Half of the numbers are scaled and shifted, given the other half.

    Dinh et al. 2017, Density Estimation Using Real NVP, arXiv 1605.08803, equations 4 and 5.
    """

    def layer(self, spec: DataSpec, number: int, width: int) -> Layer:
        return Coupling(spec, number, width, 2, _affine)


@dataclass(frozen=True, kw_only=True)
class Spline(Transformation):
    """Half of the numbers go through rational-quadratic splines, given the other half.

    Durkan et al. 2019, Neural Spline Flows, arXiv 1906.04032, section 3.
    """

    bins: Annotated[int, Ge(2)] = 8
    """Segments of a spline."""
    reach: Annotated[float, Gt(0)] = 3.0
    """Standardised numbers further from 0 stay as they are."""

    def layer(self, spec: DataSpec, number: int, width: int) -> Layer:
        return Coupling(spec, number, width, 3 * self.bins - 1, self._spline)

    def _spline(self, said: Tensor) -> Transform:
        from zuko.transforms import MonotonicRQSTransform

        widths, heights, slopes = said.split([self.bins, self.bins, self.bins - 1], -1)
        return MonotonicRQSTransform(widths, heights, slopes, bound=self.reach)


@dataclass(frozen=True, kw_only=True)
class Autoregressive(Transformation):
    """Every number is scaled and shifted, given those before it; a sample takes as many calls as it has numbers.

    Papamakarios et al. 2017, Masked Autoregressive Flow for Density Estimation, arXiv 1705.07057. The network is a
    masked perceptron as in the paper, for images too.
    """

    def layer(self, spec: DataSpec, number: int, width: int) -> Layer:
        numbers = math.prod(spec.shape)
        # A hidden unit stands for all before one number: fewer units than numbers would leave some unheard.
        return MaskedAutoregression(numbers, max(HIDDEN * width, numbers), backwards=number % 2 == 1)


class Layer(nn.Module, ABC):
    """One step of a flow, from flat examples to flat latents."""

    @abstractmethod
    def transform(self) -> Transform:
        """What zuko calls a transformation of vectors (N, numbers)."""


class Coupling(Layer):
    """Some of the numbers stay and say how the others change.

    Args:
        spec: The data.
        number: Which layer of the flow it is: it decides which numbers stay.
        width: The size dial.
        parameters: Of the change of one number.
        change: From parameters (..., parameters) to a change of numbers (...).
    """

    stays: Tensor

    def __init__(
        self, spec: DataSpec, number: int, width: int, parameters: int, change: Callable[[Tensor], Transform]
    ) -> None:
        super().__init__()
        self.shape = spec.shape
        self.change = change
        self.network = conditioner_for(spec, parameters, width)
        self.register_buffer("stays", staying(spec, number).flatten(), persistent=False)

    def transform(self) -> Transform:
        from zuko.transforms import CouplingTransform

        stays: Any = self.stays
        return CouplingTransform(self._change_given, stays)

    def _change_given(self, known: Tensor) -> Transform:
        from zuko.transforms import DependentTransform

        numbers = known.new_zeros(len(known), len(self.stays))
        numbers[:, self.stays] = known
        said = self.network(numbers.unflatten(1, self.shape)).flatten(1, -2)
        return DependentTransform(self.change(said[:, ~self.stays]), 1)


class MaskedAutoregression(Layer):
    """Every number is changed as those before it say.

    Args:
        numbers: Length of a flat example.
        hidden: Size of each of the network's two hidden layers.
        backwards: Whether the last number is the first.
    """

    def __init__(self, numbers: int, hidden: int, backwards: bool) -> None:
        super().__init__()
        from zuko.flows.autoregressive import MaskedAutoregressiveTransform

        order: Any = torch.arange(numbers).flip(0) if backwards else torch.arange(numbers)
        self.masked = MaskedAutoregressiveTransform(
            numbers, order=order, hidden_features=(hidden, hidden), activation=nn.SiLU
        )

    def transform(self) -> Transform:
        return self.masked()


def _affine(said: Tensor) -> Transform:
    from zuko.transforms import MonotonicAffineTransform

    return MonotonicAffineTransform(said[..., 0], said[..., 1])


def staying(spec: DataSpec, number: int) -> Tensor:
    """Which numbers of an example (*shape) stay as they are in a layer: half of them, in the next layer the others.

    Every pair of layers divides the numbers in another way: by a digit of their binary index in vectors; in images by
    checkerboards, rows and columns whose fields are 1, 2, ... pixels wide, up to half a patch of the network. Channels
    alternate too.
    """
    kind, turned = divmod(number, 2)
    if isinstance(spec, ImageSpec):
        stays = _image_pattern(spec, kind)
    else:
        (features,) = spec.shape
        if features == 1:
            return torch.zeros(1, dtype=torch.bool)
        digits = math.ceil(math.log2(features))
        stays = (torch.arange(features) >> kind % digits) % 2 == 1
    return ~stays if turned else stays


def _image_pattern(spec: ImageSpec, kind: int) -> Tensor:
    channel, row, column = torch.meshgrid(*map(torch.arange, spec.shape), indexing="ij")
    scales = max(1, int(math.log2(patch_for(spec.height, spec.width))))
    form, scale = kind % 3, kind // 3 % scales
    fields = ((row >> scale) + (column >> scale), row >> scale, column >> scale)[form]
    return (fields + channel) % 2 == 1
