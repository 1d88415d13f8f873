"""Asking models of text: writing, going on with what somebody began, varying a sentence, walking between two."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.data import TextSpec
from tvir.contracts.model import (
    Conditional,
    ContinuesText,
    DecodesLatents,
    EncodesData,
    GenerativeModel,
    SamplesTokens,
    evaluating,
)
from tvir.contracts.noise import Noise
from tvir.data.texts import normalised
from tvir.data.tokenising import FewestPieces, TextForm
from tvir.studio.refusal import RefusalError
from tvir.workflows.spherical import great_circle

_PRIOR = 256
"""Draws from the prior that tell how far apart its latents lie."""

_LEAST_ROOM = 0.25
"""Share of an example that is left to write when what was begun fills it: its end is gone on from."""


class Writer:
    """What the studio asks of a model of text. Not for several threads at once: it is used in a ``Worker``.

    Args:
        model: With its weights, in evaluation mode.

    Raises:
        RefusalError: It does not write text.
    """

    def __init__(self, model: GenerativeModel) -> None:
        if not isinstance(model.spec, TextSpec) or not model.spec.pieces:
            raise RefusalError("no-text", "this model does not write text", 422)
        self.model = model
        self.spec = model.spec
        self._form = TextForm(tokeniser=FewestPieces(model.spec.pieces), length=model.spec.length)

    @property
    def continues(self) -> bool:
        """Whether it goes on with what somebody began."""
        return isinstance(self.model, ContinuesText)

    @property
    def varies(self) -> bool:
        """Whether a sentence has neighbours, and whether there is a way between two."""
        return isinstance(self.model, EncodesData)

    def written(
        self, begun: str, seed: int, temperature: float, top_p: float, condition: int | None = None
    ) -> Iterator[str]:
        """All that is written after ``begun``, again and again as it grows; of a class, where one is asked for.

        Raises:
            RefusalError: Something is begun, and the model only writes whole texts.
        """
        model = self.model
        if isinstance(model, ContinuesText):
            return self._continued(model, begun, seed, temperature, top_p, self._asked(condition))
        if begun:
            raise RefusalError("cannot-continue", "this model writes whole texts only; leave the beginning out", 422)
        return self._sampled(seed, temperature, top_p, self._asked(condition))

    def varied(self, sentence: str, boldness: float, count: int, seed: int) -> list[str]:
        """Sentences whose latents lie around that of one; with a boldness of 0 they are what the model reads in it.

        Args:
            sentence: The one.
            boldness: How far away, 0 to 1; 1 is as far as two draws from the prior.
            count: How many.
            seed: Of the directions.

        Raises:
            RefusalError: The model does not encode.
        """
        model = self._encoding()
        with evaluating(model):
            noise = Noise(seed, count=count, device=model.device)
            steps = noise.normal(*model.latent_shape) * self._spread(model)
            return self._texts(model.decode(self._latents(model, [sentence]) + boldness * steps))

    def between(self, first: str, last: str, steps: int) -> list[str]:
        """Sentences on the way from one to another, both as the model reads them included.

        Raises:
            RefusalError: The model does not encode.
        """
        model = self._encoding()
        with evaluating(model):
            begin, end = self._latents(model, [first, last]).split(1)
            return self._texts(model.decode(great_circle(begin, end, steps)[0]))

    def _continued(
        self, model: ContinuesText, begun: str, seed: int, temperature: float, top_p: float, condition: Tensor | None
    ) -> Iterator[str]:
        tokens = self._form.tokeniser.encode([normalised(begun)])[0]
        room = max(1, int(_LEAST_ROOM * self.spec.length))
        if len(tokens) > self.spec.length - room:
            tokens = tokens[room - self.spec.length :]
        # How boldly to draw belongs to the model, which others use between two pieces of this text.
        with model.drawing_with(temperature, top_p):
            found = model.continued(torch.from_numpy(tokens).to(model.device), self._noise(seed), condition)
        reader, text = codecs.getincrementaldecoder("utf-8")("replace"), ""
        while True:
            with model.drawing_with(temperature, top_p):
                token = next(found, None)
            if token is None:
                break
            text += reader.decode(self.spec.pieces[token])
            yield text
        yield text + reader.decode(b"", final=True)

    def _sampled(self, seed: int, temperature: float, top_p: float, condition: Tensor | None) -> Iterator[str]:
        model = self.model
        if isinstance(model, SamplesTokens):
            with model.drawing_with(temperature, top_p):
                rows = self.spec.to_rows(model.sample(1, seed=seed, condition=condition))
        else:
            rows = self.spec.to_rows(model.sample(1, seed=seed, condition=condition))
        yield self.spec.texts(rows)[0]

    def _asked(self, condition: int | None) -> Tensor | None:
        if condition is None or not isinstance(self.model, Conditional):
            return None
        return torch.tensor([condition], device=self.model.device)

    def _encoding(self) -> EncodesData:
        if not isinstance(self.model, EncodesData):
            raise RefusalError("cannot-vary", "this model does not encode, so no sentence has neighbours", 422)
        return self.model

    def _latents(self, model: EncodesData, sentences: list[str]) -> Tensor:
        rows, _ = self._form.rows([normalised(sentence) for sentence in sentences])
        return model.encode(self.spec.to_model(rows).to(model.device)).mean

    def _spread(self, model: DecodesLatents) -> Tensor:
        """How far latents of the prior lie from their mean, number by number."""
        return model.sample_prior(Noise(0, count=_PRIOR, device=model.device)).std(0)

    def _noise(self, seed: int) -> Noise:
        return Noise(seed, count=1, device=self.model.device)

    def _texts(self, tokens: Tensor) -> list[str]:
        return self.spec.texts(self.spec.to_rows(tokens))


def last_of(texts: Iterator[str]) -> str:
    """The whole text that grows."""
    text = ""
    for text in texts:  # noqa: B007 - the last one is wanted
        pass
    return text
