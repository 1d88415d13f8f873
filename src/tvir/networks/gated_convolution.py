"""Gated convolutions that see only what comes before a number, row by row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_DILATIONS = (1, 2, 4)
"""Of the layers, over and over: a few layers then see far."""


class Sight:
    """What layers have seen of rows and columns so far, so that each is looked at once while an image grows."""

    def __init__(self) -> None:
        self.read = 0
        self.image: Tensor | None = None
        self.rows: dict[nn.Module, Tensor] = {}
        self.columns: dict[nn.Module, Tensor] = {}
        self.from_above: dict[nn.Module, Tensor] = {}


class GatedLayer(nn.Module):
    """A vertical stack that sees all rows above, and a horizontal one that sees the row so far.

    van den Oord et al. 2016, Conditional Image Generation with PixelCNN Decoders, arXiv 1606.05328, figure 2. In place
    of masks, features are shifted, so that no weight is multiplied by zero. Both stacks enter with features that know
    nothing of their own place.

    Args:
        width: Channels of both stacks.
        dilation: Distance of the places that are seen.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.reach = dilation
        self.vertical = nn.Conv2d(width, 2 * width, (2, 3), dilation=dilation)
        self.horizontal = nn.Conv2d(width, 2 * width, (1, 2), dilation=dilation)
        self.downward = nn.Conv2d(2 * width, 2 * width, 1)
        self.output = nn.Conv2d(width, width, 1)

    def forward(self, above: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Both stacks, one layer deeper.

        Args:
            above: What is known of the rows above each place, (N, width, height, across).
            before: What is known of the places before each place, of the same shape.
        """
        deeper, from_above = self.look_up(F.pad(above, (0, 0, self.reach, 0)))
        return deeper, self.look_back(F.pad(before, (self.reach, 0)), from_above)

    def look_up(self, above: Tensor) -> tuple[Tensor, Tensor]:
        """The vertical stack, and what the horizontal one is told; ``above`` has ``reach`` more rows at its top."""
        seen = self.vertical(F.pad(above, (self.reach, self.reach)))
        return gated(seen), self.downward(seen)

    def look_back(self, before: Tensor, from_above: Tensor) -> Tensor:
        """The horizontal stack; ``before`` has ``reach`` more columns at its left."""
        return before[..., self.reach :] + self.output(gated(self.horizontal(before) + from_above))


def gated(features: Tensor) -> Tensor:
    """Half of the channels, each as far as its gate in the other half is open (equation 2)."""
    content, gate = features.chunk(2, 1)
    return torch.tanh(content) * torch.sigmoid(gate)


class CausalConvolutions(nn.Module):
    """From rows of numbers to logits of each number that depend on the numbers before it alone.

    Unlike the paper's, the network is told where in the image it looks: a few layers do not reach its edges.

    Args:
        height: Rows.
        across: Numbers in a row.
        period: After how many numbers in a row a number means the same again: the channels of a pixel.
        width: Channels of features.
        layers: Gated layers.
        outputs: Logits for each number.
    """

    planes: Tensor

    def __init__(self, height: int, across: int, period: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("planes", _planes(height, across, period), persistent=False)
        channels = 1 + len(self.planes)
        self.above = nn.Conv2d(channels, width, (2, 3))
        self.before = nn.Conv2d(channels, width, (1, 2))
        self.layers = nn.ModuleList(GatedLayer(width, _DILATIONS[number % 3]) for number in range(layers))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, outputs, 1))

    def forward(self, numbers: Tensor, sight: Sight | None = None) -> Tensor:
        """Read a whole image; or, with a sight, the number that was last written, to say what the next may be.

        Args:
            numbers: (N, 1, height, across), between -1 and 1; with a sight (N, 1, 1, 1), not read for the first.
            sight: What has been seen, which this adds to.

        Returns:
            Logits, (N, outputs, height, across) or (N, outputs, 1, 1).
        """
        if sight is not None:
            return self._next(numbers, sight)
        image = self._with_planes(numbers)
        # Shifted by one, so that no number sees itself: the paper's mask A.
        above = self.above(F.pad(image, (1, 1, 2, 0))[:, :, :-1])
        before = self.before(F.pad(image, (2, 0))[..., :-1])
        for layer in self.layers:
            above, before = layer(above, before)
        return self.head(before)

    def _next(self, number: Tensor, sight: Sight) -> Tensor:
        """As ``forward``, but each place is visited once: Ramachandran et al. 2017, arXiv 1704.06001."""
        row, column = divmod(sight.read, self.planes.shape[2])
        if sight.image is None:
            # Two rows and two columns of nothing, as the padding of a whole image.
            sight.image = F.pad(
                number.new_zeros(len(number), 1 + len(self.planes), *self.planes.shape[1:]), (2, 0, 2, 0)
            )
        else:
            known, place = divmod(sight.read - 1, self.planes.shape[2])
            sight.image[:, 0, known + 2, place + 2] = number[:, 0, 0, 0]
            sight.image[:, 1:, known + 2, place + 2] = self.planes[:, known, place]
        if column == 0:
            self._begin_row(row, sight)
        before = self.before(sight.image[:, :, row + 2 : row + 3, column : column + 2])
        for layer in self.layers:
            assert isinstance(layer, GatedLayer)
            seen = torch.cat([sight.columns[layer], before], 3)
            sight.columns[layer] = seen[..., 1:]
            before = layer.look_back(seen, sight.from_above[layer][..., column : column + 1])
        sight.read += 1
        return self.head(before)

    def _begin_row(self, row: int, sight: Sight) -> None:
        assert sight.image is not None
        above = self.above(F.pad(sight.image[:, :, row : row + 2, 2:], (1, 1)))
        for layer in self.layers:
            assert isinstance(layer, GatedLayer)
            if row == 0:
                sight.rows[layer] = above.new_zeros(*above.shape[:2], layer.reach, above.shape[3])
            seen = torch.cat([sight.rows[layer], above], 2)
            sight.rows[layer] = seen[:, :, 1:]
            sight.columns[layer] = above.new_zeros(*above.shape[:3], layer.reach)
            above, sight.from_above[layer] = layer.look_up(seen)

    def _with_planes(self, numbers: Tensor) -> Tensor:
        return torch.cat([numbers, self.planes.expand(len(numbers), -1, -1, -1)], 1)


def _planes(height: int, across: int, period: int) -> Tensor:
    """Which channel a place is, and where it lies: (period + 2, height, across)."""
    channels = torch.eye(period)[torch.arange(across) % period].t()
    down, along = (torch.linspace(-1, 1, size) for size in (height, across))
    planes = [channels[:, None].expand(-1, height, -1), down[None, :, None].expand(1, -1, across)]
    return torch.cat([*planes, along.expand(1, height, -1)])
