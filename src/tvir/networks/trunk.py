"""What an encoder and a discriminator share."""

from __future__ import annotations

from torch import nn


class Trunk(nn.Module):
    """Reads examples, or packs of them, to features (N, features)."""

    features: int
