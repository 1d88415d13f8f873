"""A language model: the maximum-likelihood baseline that every other model of text has to face."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tvir.contracts.noise import Noise
from tvir.models.autoregressive.tokens import TokensConfig, Transformer, WritesTokens


class LanguageModel(WritesTokens):
    """Writes text token by token, each given all before it, and learns by maximum likelihood.

    Args:
        spec: Text.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the width.

    Example:
        >>> from tvir.contracts.data import TextSpec
        >>> model = LanguageModel(TextSpec(vocabulary=5, length=8), LanguageModel.smallest())
        >>> model.log_prob(model.sample(3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(TokensConfig):
        """Settings of a language model."""

    config: Config
    paper = "Radford et al. 2019, Language Models are Unsupervised Multitask Learners (GPT-2)"

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(network=Transformer(layers=1, heads=2, width=4), batch_size=4)

    def beginning(self, condition: Tensor | None, tokens: Tensor) -> None:
        return None

    def drawn_beginning(self, condition: Tensor | None, noise: Noise) -> None:
        return None
