"""E1 of text: what a small language model of this very data thinks while it reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tvir.contracts.data import Array, Dataset, Examples, TextSpec, shortened, written
from tvir.contracts.noise import mix_seed
from tvir.evaluation.bodies import FEATURES, look_through
from tvir.evaluation.extractor import FeatureExtractor, Report, content_hash
from tvir.evaluation.fitting import fit_network
from tvir.evaluation.keeping import kept_tensors
from tvir.networks.transformer import TokenTransformer
from tvir.objectives.texts import token_surprise

_LAYERS, _HEADS = 2, 4
_TEXTS = 20_000
_BATCH_TOKENS = 2048
_SEEN_TOKENS = 1_000_000
"""Tokens read in training, padding and repeats included."""

_MOST_EPOCHS = 10
_FEWEST = 16
"""Training texts, below which there is nothing to learn."""

_LEARNING_RATE = 4e-3
_CHUNK_TOKENS = 2**15
_RECIPE = (
    f"reader-1 features={FEATURES} layers={_LAYERS} heads={_HEADS} texts={_TEXTS} batch={_BATCH_TOKENS} "
    f"seen={_SEEN_TOKENS} epochs={_MOST_EPOCHS} rate={_LEARNING_RATE}"
)


class Reader(FeatureExtractor):
    """The mean over a text of the last hidden states of a small causal transformer trained on the training split.

    Always the same recipe; never shared with any model that is judged. Trained weights are kept between runs.

    Reference:
        Language Models are Unsupervised Multitask Learners (Radford et al. 2019), for the network; MAUVE, arXiv
        2102.01454, for looking through the hidden states of a language model.

    Known failure:
        Hears spelling and phrases better than meaning; a mean hardly hears where in a text something stands.
    """

    level = 1

    def __init__(self, spec: TextSpec, network: TokenTransformer) -> None:
        self._spec = spec
        self._body = _MeanState(network)
        weights = network.state_dict()
        self._name = f"reader@{content_hash(_RECIPE, *(weights[key] for key in sorted(weights)))}"

    @classmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()) -> Reader | None:
        del weights
        spec = dataset.spec
        if not isinstance(spec, TextSpec) or len(dataset.train) < _FEWEST:
            return None
        network = _network(spec, seed)
        shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        key = f"reader-{content_hash(_RECIPE, str(seed))}-{content_hash(dataset.fingerprint)}"
        network.load_state_dict(kept_tensors(key, shapes, lambda: train(network, dataset.train, seed, report)))
        return cls(spec, network)

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        chunk = max(1, _CHUNK_TOKENS // self._spec.length)
        return look_through(self._body, self._spec, rows, width=FEATURES, chunk=chunk)


class _MeanState(nn.Module):
    """The mean of the hidden states at the tokens that belong to a text, its end included."""

    def __init__(self, network: TokenTransformer) -> None:
        super().__init__()
        self._network = network

    def forward(self, tokens: Tensor) -> Tensor:
        states = self._network.states(tokens)
        weights = written(tokens)[:, :, None].to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1)


def _network(spec: TextSpec, seed: int) -> TokenTransformer:
    """A network whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, "reader"))
        return TokenTransformer(spec.vocabulary, spec.length, FEATURES, _LAYERS, _HEADS)


def train(network: TokenTransformer, examples: Examples, seed: int, report: Report) -> dict[str, Tensor]:
    """Fit the network by maximum likelihood; returns its weights."""
    drawing = np.random.default_rng(mix_seed(seed, "reader order"))
    chosen = np.sort(drawing.permutation(len(examples))[:_TEXTS])
    rows = examples.take(chosen)
    batch = max(4, min(_BATCH_TOKENS // rows.shape[1], len(rows)))
    steps = max(1, min(_SEEN_TOKENS // rows.shape[1], _MOST_EPOCHS * len(rows)) // batch)

    def loss(now: Array) -> Tensor:
        tokens = shortened(examples.spec.to_model(rows[now]))
        return token_surprise(network(tokens), tokens).sum() / written(tokens).sum()

    return fit_network(
        network, loss, count=len(rows), batch=batch, steps=steps, learning_rate=_LEARNING_RATE, drawing=drawing,
        report=report, what="training the reader to look through",
    )  # fmt: skip
