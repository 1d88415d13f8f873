"""E0 of text: which words and pairs of words a text holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, Dataset, TextSpec
from tvir.contracts.metric import Points
from tvir.evaluation.extractor import FeatureExtractor, Report, content_hash
from tvir.evaluation.features.pixels import COMPONENTS, principal_components
from tvir.evaluation.words import Sentence, Sentences, runs, sentences

_TERMS = 1024
"""Words and pairs of neighbouring words that are counted: the most frequent ones."""

_FITTED = 10_000
_RECIPE = f"words-1 terms={_TERMS} components={COMPONENTS}"


class WordCounts(FeatureExtractor):
    """How often a text holds each of the most frequent words and pairs, as 64 principal components.

    Counts are weighted 1 + log(count) times log(N / texts with the term), and the vector of a text brought to length
    1; terms and components are those of the training split.

    Reference:
        Indexing by Latent Semantic Analysis (Deerwester et al. 1990).

    Known failure:
        Blind to the order of words beyond pairs, and to rare words.
    """

    level = 0

    def __init__(self, spec: TextSpec, terms: Sequence[Sentence], weights: Array, mean: Tensor, axes: Tensor) -> None:
        self._spec = spec
        self._terms = {term: place for place, term in enumerate(terms)}
        self._weights = weights
        self._mean = mean
        self._axes = axes
        written = "\n".join(" ".join(term) for term in terms)
        self._name = f"words-pca{COMPONENTS}@{content_hash(_RECIPE, written, weights, mean, axes)}"

    @classmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()) -> WordCounts | None:
        del seed, report, weights
        spec = dataset.spec
        if not isinstance(spec, TextSpec):
            return None
        rows = dataset.train.take(np.arange(min(len(dataset.train), _FITTED)))
        texts = sentences(Points(rows=rows, features={}), spec)
        holding = Counter(term for text in texts for term in set(_terms_of(text)))
        terms = sorted(holding, key=lambda term: (-holding[term], term))[:_TERMS]
        rarity = np.log((1 + len(texts)) / (1 + np.array([holding[term] for term in terms], dtype=np.float64))) + 1
        unfitted = cls(spec, terms, rarity, torch.zeros(0), torch.zeros(0))
        fitted = principal_components(unfitted._weighed(texts))
        return cls(spec, terms, rarity, fitted["mean"], fitted["components"])

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        texts = sentences(Points(rows=rows, features={}), self._spec)
        return ((self._weighed(texts) - self._mean) @ self._axes).numpy()

    def _weighed(self, texts: Sentences) -> Tensor:
        counts = np.zeros((len(texts), len(self._terms)), dtype=np.float32)
        for row, text in zip(counts, texts, strict=True):
            for term in _terms_of(text):
                if (place := self._terms.get(term)) is not None:
                    row[place] += 1
        weighed = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * self._weights
        return torch.nn.functional.normalize(torch.from_numpy(weighed.astype(np.float32)), dim=1)


def _terms_of(text: Sentence) -> list[Sentence]:
    return [*runs(text, 1), *runs(text, 2)]
