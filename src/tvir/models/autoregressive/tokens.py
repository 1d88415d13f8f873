"""Text that is written token by token, each given all before it, with an exact probability."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from annotated_types import Ge, Gt
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.collectives import mean_over_processes
from tvir.contracts.data import END, TextSpec, shortened, written
from tvir.contracts.diagram import Diagram
from tvir.contracts.errors import UsageError
from tvir.contracts.model import (
    Adam,
    Batch,
    ContinuesText,
    HasLikelihood,
    Losses,
    Measure,
    ModelConfig,
    Phase,
    Player,
    Stage,
)
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.models.autoregressive.writing import writing_diagram
from tvir.networks.recurrent import TokenRecurrence
from tvir.networks.transformer import ReadsTokens, TokenTransformer, continued_tokens, nucleus, write_tokens
from tvir.objectives.texts import token_surprise


class TokenNetwork(Choice):
    """What finds the probability of the next token."""

    @abstractmethod
    def build(self, spec: TextSpec, beginnings: int) -> ReadsTokens:
        """The network for texts before which one of some beginnings stands."""


@dataclass(frozen=True, kw_only=True)
class Transformer(TokenNetwork):
    """Causal attention in GPT-2's manner."""

    layers: Annotated[int, Ge(1)] = 4
    heads: Annotated[int, Ge(1)] = 4
    width: Annotated[int, Ge(1)] = 128

    def build(self, spec: TextSpec, beginnings: int) -> ReadsTokens:
        if self.width % self.heads:
            raise UsageError(f"{self.heads} heads do not divide a width of {self.width}; change heads or width")
        return TokenTransformer(spec.vocabulary, spec.length, self.width, self.layers, self.heads, beginnings)


@dataclass(frozen=True, kw_only=True)
class Lstm(TokenNetwork):
    """A recurrent network."""

    layers: Annotated[int, Ge(1)] = 1
    width: Annotated[int, Ge(1)] = 320

    def build(self, spec: TextSpec, beginnings: int) -> ReadsTokens:
        return TokenRecurrence(spec.vocabulary, spec.length, self.width, self.layers, beginnings)


@dataclass(frozen=True, kw_only=True)
class TokensConfig(ModelConfig):
    """Settings of every model that writes text token by token."""

    batch_size: Annotated[int, Ge(1)] = 16
    """Examples per step, over all processes."""
    network: TokenNetwork = field(default_factory=Transformer)
    """What finds the probability of the next token."""
    learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
    """Step size of the network."""
    weight_decay: Annotated[float, Ge(0)] = 0.01
    """Decoupled weight decay."""


class WritesTokens(HasLikelihood, ContinuesText, ABC):
    """Gives each token of a text a probability, given all before it, and learns by maximum likelihood.

    The probability is that of the text with its end; what fills the sequence after the end is certain. A text that
    was cut, or a window of running text, has no end, and its probability is that of a text that begins so.

    Args:
        spec: Text.
        config: The settings.
        beginnings: What may stand before a text and says of which kind it is.

    Raises:
        UsageError: The heads do not divide the width.
    """

    specs = (TextSpec,)

    def __init__(self, spec: TextSpec, config: TokensConfig, beginnings: int = 1) -> None:
        super().__init__(spec, config)
        self._settings = config
        self.network = config.network.build(spec, beginnings)

    @property
    def measure(self) -> Measure:
        return Measure.PROBABILITY

    @abstractmethod
    def beginning(self, condition: Tensor | None, tokens: Tensor) -> Tensor | None:
        """What stands before texts (N, length) of which the classes are given or not, (N,)."""

    @abstractmethod
    def drawn_beginning(self, condition: Tensor | None, noise: Noise) -> Tensor | None:
        """What a new text begins with where a class is asked for or not, (noise.count,)."""

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return -self.surprise(examples, self.beginning(condition, examples)).sum(1)

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        shares, read = self._author(condition, noise)
        return write_tokens(read, shares, self._choice(), END)

    def continued(self, begun: Tensor, noise: Noise, condition: Tensor | None = None) -> Iterator[int]:
        shares, read = self._author(condition, noise)
        return continued_tokens(read, begun, shares[0], self._choice(), END)

    def surprise(self, tokens: Tensor, beginning: Tensor | None) -> Tensor:
        """Nats of each token, 0 after the end; (N, longest), where nothing is read that follows the end of all."""
        tokens = shortened(tokens)
        return token_surprise(self.network(tokens, beginning=beginning), tokens)

    def _author(self, condition: Tensor | None, noise: Noise) -> tuple[Tensor, partial[Tensor]]:
        """Shares for the tokens of each text, and what reads them; a class is drawn last, which changes no share."""
        shares = noise.uniform(self.network.length)
        return shares, partial(self.network, beginning=self.drawn_beginning(condition, noise))

    def _choice(self) -> partial[Tensor]:
        return partial(nucleus, temperature=self.temperature, top_p=self.top_p)

    def stages(self) -> Sequence[Stage]:
        def loss(batch: Batch) -> Losses:
            # Divided by the number over all processes, so that each token weighs the same.
            count = mean_over_processes(written(batch.data).sum().float())
            beginning = self.beginning(batch.labels, batch.data)
            return {"nats_per_token": self.surprise(batch.data, beginning).sum() / count}

        player = Player(
            name="network",
            parameters=list(self.network.parameters()),
            optimiser=Adam(
                learning_rate=self._settings.learning_rate,
                betas=(0.9, 0.99),
                weight_decay=self._settings.weight_decay,
                warmup_steps=100,
                final_share=0.05,
            ),
        )
        return [Stage(name="reading", phases=[Phase(name="reading", player=player, loss=loss)])]

    def diagram(self) -> Diagram:
        return writing_diagram("text", "token", self.network)
