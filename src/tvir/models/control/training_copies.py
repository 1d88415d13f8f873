"""Copies of training examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import DataSpec, Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.model import ModelConfig
from tvir.contracts.noise import Noise
from tvir.models.control.drawing import drawn_rows
from tvir.models.control.fitted import Control


class TrainingCopies(Control):
    """A control: training examples, drawn again and again.

    It has the fidelity and the diversity of real data, and nothing new: a score that prefers it cannot tell learning
    from copying.

    Args:
        spec: Any data.
        config: The settings.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of copies."""

        examples: Annotated[int, Ge(1)] = 10_000
        """Training examples, at most, that are kept."""

    config: Config
    paper = "Theis, van den Oord and Bethge 2016, A note on the evaluation of generative models, arXiv 1511.01844"
    specs = (ImageSpec, VectorSpec, TextSpec)
    rows: Tensor
    count: Tensor

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        empty = np.zeros((config.examples, *spec.row_shape), spec.row_dtype)
        self.register_buffer("rows", torch.from_numpy(empty))
        self.register_buffer("count", torch.ones((), dtype=torch.int64))

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(examples=16)

    def fit(self, examples: Examples) -> None:
        drawn = drawn_rows(examples, len(self.rows))
        self.rows[: len(drawn)] = torch.from_numpy(np.ascontiguousarray(drawn))
        self.count.fill_(len(drawn))

    def draw(self, noise: Noise) -> Tensor:
        chosen = self.rows[noise.integers(int(self.count))]
        return self.spec.to_model(chosen.cpu().numpy()).to(self.device)
