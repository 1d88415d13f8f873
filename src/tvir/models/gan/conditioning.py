"""How a critic is told which class an example is said to be of."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, cast

import torch
import torch.nn.functional as F
from annotated_types import Ge
from torch import Tensor, nn

from tvir.contracts.choice import Choice
from tvir.networks.building import Reader
from tvir.networks.mlp import SLOPE, scaled


class ConditionalCritic(nn.Module):
    """Judges examples that are said to be of a class.

    Args:
        reader: Trunk and head of an unconditional critic.
        classes: Number of classes; one more stands for not known.
    """

    def __init__(self, reader: Reader, classes: int) -> None:
        super().__init__()
        self.reader = reader
        self.classes = classes

    @property
    def features(self) -> int:
        """Numbers that the trunk gives for each example."""
        return self.reader.trunk.features

    @abstractmethod
    def forward(self, examples: Tensor, labels: Tensor) -> Tensor:
        """Logits (N, 1) of examples (N, ...) with class indices (N,); ``classes`` where one is not known."""

    def class_loss(self, examples: Tensor, labels: Tensor) -> Tensor | None:
        """What falls as the critic names the classes right; None where it does not name classes."""
        return None


class Conditioning(Choice):
    """Ways of telling a critic the class."""

    @abstractmethod
    def critic(self, reader: Reader, classes: int) -> ConditionalCritic:
        """A critic that is told the class, from one that is not."""


@dataclass(frozen=True, kw_only=True)
class Projection(Conditioning):
    """The class's embedding along the features: Miyato and Koyama 2018, arXiv 1802.05637, equation 11."""

    def critic(self, reader: Reader, classes: int) -> ConditionalCritic:
        return ProjectionCritic(reader, classes)


@dataclass(frozen=True, kw_only=True)
class Embedding(Conditioning):
    """The class's embedding beside the features: Mirza and Osindero 2014, arXiv 1411.1784.

    Args:
        size: Numbers of an embedding.
    """

    size: Annotated[int, Ge(1)] = 16

    def critic(self, reader: Reader, classes: int) -> ConditionalCritic:
        return EmbeddingCritic(reader, classes, self.size)


@dataclass(frozen=True, kw_only=True)
class Auxiliary(Conditioning):
    """The critic names the class instead of being told: Odena, Olah and Shlens 2017, ACGAN, arXiv 1610.09585.

    Args:
        weight: Of the classes' cross-entropy in the loss of either player.
    """

    weight: Annotated[float, Ge(0)] = 1.0

    def critic(self, reader: Reader, classes: int) -> ConditionalCritic:
        return AuxiliaryCritic(reader, classes, self.weight)


class ProjectionCritic(ConditionalCritic):
    """The logit gains the inner product of the features with the class's embedding; nothing at first."""

    def __init__(self, reader: Reader, classes: int) -> None:
        super().__init__(reader, classes)
        self.embedding = nn.Embedding(classes + 1, self.features)
        nn.init.zeros_(self.embedding.weight)

    def forward(self, examples: Tensor, labels: Tensor) -> Tensor:
        features = self.reader.trunk(examples)
        return self.reader.head(features) + (self.embedding(labels) * features).sum(1, keepdim=True)


class EmbeddingCritic(ConditionalCritic):
    """A hidden layer sees features and embedding together."""

    def __init__(self, reader: Reader, classes: int, size: int) -> None:
        super().__init__(reader, classes)
        self.embedding = nn.Embedding(classes + 1, size)
        self.mix = scaled(nn.Linear(self.features + size, self.features))

    def forward(self, examples: Tensor, labels: Tensor) -> Tensor:
        both = torch.cat([self.reader.trunk(examples), self.embedding(labels)], 1)
        return self.reader.head(F.leaky_relu(self.mix(both), SLOPE))


class AuxiliaryCritic(ConditionalCritic):
    """A second head names the class; the first is not told it."""

    def __init__(self, reader: Reader, classes: int, weight: float) -> None:
        super().__init__(reader, classes)
        self.weight = weight
        self.name_class = scaled(nn.Linear(self.features, classes))

    def forward(self, examples: Tensor, labels: Tensor) -> Tensor:
        return self.reader(examples)

    def class_loss(self, examples: Tensor, labels: Tensor) -> Tensor | None:
        known = labels < self.classes
        logits = cast("Tensor", self.name_class(self.reader.trunk(examples))).float()
        losses = F.cross_entropy(logits, labels.clamp_max(self.classes - 1), reduction="none")
        # A mean over all rows, so that processes with other shares of unlabelled examples still agree.
        return self.weight * (losses * known).mean()
