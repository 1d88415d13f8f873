"""A language model: the maximum-likelihood baseline that every other model of text has to face."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from annotated_types import Ge, Gt
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.collectives import mean_over_processes
from tvir.contracts.data import END, TextSpec, shortened, written
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
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
from tvir.networks.recurrent import TokenRecurrence
from tvir.networks.transformer import ReadsTokens, TokenTransformer, continued_tokens, nucleus
from tvir.objectives.texts import token_surprise


class TokenNetwork(Choice):
    """What finds the probability of the next token."""

    @abstractmethod
    def build(self, vocabulary: int, length: int) -> ReadsTokens:
        """The network for a vocabulary and a length."""


@dataclass(frozen=True, kw_only=True)
class Transformer(TokenNetwork):
    """Causal attention in GPT-2's manner."""

    layers: Annotated[int, Ge(1)] = 4
    heads: Annotated[int, Ge(1)] = 4
    width: Annotated[int, Ge(1)] = 128

    def build(self, vocabulary: int, length: int) -> ReadsTokens:
        if self.width % self.heads:
            raise UsageError(f"{self.heads} heads do not divide a width of {self.width}; change heads or width")
        return TokenTransformer(vocabulary, length, self.width, self.layers, self.heads)


@dataclass(frozen=True, kw_only=True)
class Lstm(TokenNetwork):
    """A recurrent network."""

    layers: Annotated[int, Ge(1)] = 1
    width: Annotated[int, Ge(1)] = 320

    def build(self, vocabulary: int, length: int) -> ReadsTokens:
        return TokenRecurrence(vocabulary, length, self.width, self.layers)


class LanguageModel(HasLikelihood, ContinuesText):
    """Writes text token by token, each given all before it, and learns by maximum likelihood.

    The probability is that of the text with its end; what fills the sequence after the end is certain. A text that
    was cut, or a window of running text, has no end, and its probability is that of a text that begins so.

    Args:
        spec: Text.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the width.

    Example:
        >>> model = LanguageModel(TextSpec(vocabulary=5, length=8), LanguageModel.smallest())
        >>> model.log_prob(model.sample(3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of a language model."""

        batch_size: Annotated[int, Ge(1)] = 16
        """Examples per step, over all processes."""
        network: TokenNetwork = field(default_factory=Transformer)
        """What finds the probability of the next token."""
        learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
        """Step size of the network."""
        weight_decay: Annotated[float, Ge(0)] = 0.01
        """Decoupled weight decay."""

    config: Config
    specs = (TextSpec,)
    paper = "Radford et al. 2019, Language Models are Unsupervised Multitask Learners (GPT-2)"

    def __init__(self, spec: TextSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.network = config.network.build(spec.vocabulary, spec.length)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(network=Transformer(layers=1, heads=2, width=4), batch_size=4)

    @property
    def measure(self) -> Measure:
        return Measure.PROBABILITY

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return -self._surprise(examples).sum(1)

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        choose = partial(nucleus, temperature=self.temperature, top_p=self.top_p)
        return self.network.generate(noise, choose, end=END)

    def continued(self, begun: Tensor, noise: Noise) -> Iterator[int]:
        choose = partial(nucleus, temperature=self.temperature, top_p=self.top_p)
        return continued_tokens(self.network, begun, noise.uniform(self.network.length)[0], choose, end=END)

    def _surprise(self, tokens: Tensor) -> Tensor:
        """Nats of each token, 0 after the end; (N, longest), where nothing is read that follows the end of all."""
        tokens = shortened(tokens)
        return token_surprise(self.network(tokens), tokens)

    def stages(self) -> Sequence[Stage]:
        def loss(batch: Batch) -> Losses:
            # Divided by the number over all processes, so that each token weighs the same.
            count = mean_over_processes(written(batch.data).sum().float())
            return {"nats_per_token": self._surprise(batch.data).sum() / count}

        player = Player(
            name="network",
            parameters=list(self.network.parameters()),
            optimiser=Adam(
                learning_rate=self.config.learning_rate,
                betas=(0.9, 0.99),
                weight_decay=self.config.weight_decay,
                warmup_steps=100,
                final_share=0.05,
            ),
        )
        return [Stage(name="reading", phases=[Phase(name="reading", player=player, loss=loss)])]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="text so far", role=Role.DATA),
                Box(name="network", role=Role.NETWORK, module=self.network),
                Box(name="next token", role=Role.DISTRIBUTION),
                Box(name="noise", role=Role.NOISE),
                Box(name="drawn token", role=Role.SAMPLE),
            ],
            arrows=[
                Arrow("text so far", "network"),
                Arrow("network", "next token"),
                Arrow("next token", "drawn token"),
                Arrow("noise", "drawn token"),
                Arrow("drawn token", "text so far"),
            ],
        )
