"""A language model that can be asked for a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tvir.contracts.data import TextSpec
from tvir.contracts.model import Conditional, Stage
from tvir.contracts.noise import Noise
from tvir.models.autoregressive.tokens import TokensConfig, Transformer, WritesTokens
from tvir.models.classes import ClassFrequencies


class ConditionalLanguageModel(WritesTokens, Conditional):
    """Writes text token by token after a mark that says of which class it is.

    Examples without a label have a mark of their own. Without a class, samples are of classes as frequent as in the
    data, and the probability of a text is that of such a sample: the mixture over classes.

    Args:
        spec: Text with classes.
        config: The settings.

    Raises:
        UsageError: The data has no classes, or the heads do not divide the width.

    Example:
        >>> spec = TextSpec(vocabulary=5, length=8, classes=("prose", "verse"))
        >>> model = ConditionalLanguageModel(spec, ConditionalLanguageModel.smallest())
        >>> model.sample(2, condition=torch.tensor([0, 1])).shape
        torch.Size([2, 8])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(TokensConfig):
        """Settings of a language model that can be asked for a class."""

    config: Config
    paper = "Keskar et al. 2019, CTRL: A Conditional Transformer Language Model, arXiv 1909.05858"

    def __init__(self, spec: TextSpec, config: Config) -> None:
        super().__init__(spec, config, beginnings=len(spec.classes) + 1)
        self.frequencies = ClassFrequencies(spec, instead="language-model")

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(network=Transformer(layers=1, heads=2, width=4), batch_size=4)

    def beginning(self, condition: Tensor | None, tokens: Tensor) -> Tensor:
        return self.frequencies.known(condition, tokens)

    def drawn_beginning(self, condition: Tensor | None, noise: Noise) -> Tensor:
        return self.frequencies.asked(condition, noise)

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        if condition is not None:
            return super().log_prob(examples, condition)
        shares = self.frequencies.counts / self.frequencies.counts.sum()
        of_each = [
            -self.surprise(examples, torch.full_like(examples[:, 0], kind)).sum(1) + share.log()
            for kind, share in enumerate(shares)
            if share > 0
        ]
        return torch.stack(of_each).logsumexp(0)

    def stages(self) -> Sequence[Stage]:
        (reading,) = super().stages()
        return [replace(reading, prepare=self.frequencies.prepare)]
