"""From text to the pieces that a model writes it with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tvir.contracts.data import END, Array
from tvir.contracts.errors import MissingExtraError
from tvir.contracts.pieces import MOST_PIECES

Tokens = Literal["characters", "bytes", "bpe", "unigram"]

FEWEST_LEARNED = 258
"""Pieces of a learned vocabulary at least: the end of a text, every byte, and one that was learned."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Written for a character that is not in the vocabulary."""

_LONGEST_LEARNED = 32
"""Bytes of a learned piece at most."""

_OFFSET = 256
"""Where GPT-2's alphabet puts the bytes that cannot be printed."""


class Tokeniser(ABC):
    """A vocabulary and the way in which text is cut into its pieces.

    Args:
        pieces: What each token writes; the first is the end of a text and writes nothing.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = tuple(pieces)

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> list[Array]:
        """The tokens of each text, without an end."""


class Characters(Tokeniser):
    """One token for each of some characters, and one for all others.

    Args:
        characters: Those that have a token of their own, in order.
    """

    def __init__(self, characters: Iterable[str]) -> None:
        known = sorted(set(characters) - {UNKNOWN})
        super().__init__([b"", UNKNOWN.encode(), *(character.encode() for character in known)])
        self._tokens = {character: token for token, character in enumerate(known, 2)}

    def encode(self, texts: Sequence[str]) -> list[Array]:
        return [np.array([self._tokens.get(character, 1) for character in text], np.int64) for text in texts]

    @staticmethod
    def learned(texts: Iterable[str], size: int) -> Characters:
        """The most frequent characters of texts; of equally frequent ones those with the smaller code point."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        ordered = sorted(counts, key=lambda character: (-counts[character], character))
        return Characters(ordered[: size - 2])


class Bytes(Tokeniser):
    """One token for each byte of UTF-8: it writes every language and needs nothing to be learned."""

    def __init__(self) -> None:
        super().__init__([b"", *(bytes([byte]) for byte in range(256))])

    def encode(self, texts: Sequence[str]) -> list[Array]:
        return [np.frombuffer(text.encode(), np.uint8).astype(np.int64) + 1 for text in texts]


class Learned(Tokeniser):
    """Pieces that `tokenizers` has learned from texts, over bytes, so that nothing is unknown.

    Args:
        tokenizer: Of Hugging Face `tokenizers`.
    """

    def __init__(self, tokenizer: Any) -> None:
        written = sorted((_bytes_of(piece), token) for piece, token in tokenizer.get_vocab().items())
        super().__init__([b"", *(piece for piece, _ in written)])
        self._tokenizer = tokenizer
        # `tokenizers` numbers equally probable pieces in an order that differs from call to call.
        self._own = np.zeros(len(written), np.int64)
        self._own[[token for _, token in written]] = np.arange(1, len(written) + 1)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        return [self._own[np.array(found.ids, np.int64)] for found in self._tokenizer.encode_batch(list(texts))]

    @staticmethod
    def learned(kind: Literal["bpe", "unigram"], texts: Iterable[str], size: int) -> Learned:
        """Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) or a unigram model (Kudo 2018, arXiv 1804.10959).

        Raises:
            MissingExtraError: `tokenizers` is not installed.
        """
        try:
            from tokenizers import Tokenizer, models, pre_tokenizers, trainers
        except ImportError:
            raise MissingExtraError(f"--tokens {kind}", "text") from None
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        if kind == "bpe":
            tokenizer = Tokenizer(models.BPE())
            trainer = trainers.BpeTrainer(
                vocab_size=size - 1,
                show_progress=False,
                initial_alphabet=alphabet,
                max_token_length=_LONGEST_LEARNED,
            )
        else:
            tokenizer = Tokenizer(models.Unigram())
            trainer = trainers.UnigramTrainer(
                vocab_size=size - 1,
                show_progress=False,
                initial_alphabet=alphabet,
                max_piece_length=_LONGEST_LEARNED,
            )
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[attr-defined]
        tokenizer.train_from_iterator(texts, trainer)
        return Learned(tokenizer)


class FewestPieces(Tokeniser):
    """Cuts text into as few of some known pieces as possible: for whoever has a vocabulary and not what learned it.

    Characters and bytes are cut as they were when the vocabulary was made. A character that cannot be written becomes
    the token of unknown ones where there is one, and is left out otherwise.

    Args:
        pieces: What each token writes; the first is the end of a text and writes nothing.

    Example:
        >>> FewestPieces([b"", b"a", b"b", b"ab"]).encode(["aab"])[0].tolist()
        [1, 3]
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        super().__init__(pieces)
        self._tokens = {piece: token for token, piece in reversed(list(enumerate(pieces))) if piece}
        self._longest = max(map(len, self._tokens), default=0)
        self._unknown = self._tokens.get(UNKNOWN.encode())

    def encode(self, texts: Sequence[str]) -> list[Array]:
        return [np.array(self._cut(text.encode()), np.int64) for text in texts]

    def _cut(self, content: bytes) -> list[int]:
        """The last piece of the best cut that ends at each byte, found from the front; then read from the back."""
        fewest: list[tuple[float, int, int | None]] = [(0.0, 0, None)]
        for end in range(1, len(content) + 1):
            best = self._unwritten(content, end, fewest)
            for begin in range(max(0, end - self._longest), end):
                token = self._tokens.get(content[begin:end])
                if token is not None and fewest[begin][0] + 1 < best[0]:
                    best = (fewest[begin][0] + 1, begin, token)
            fewest.append(best)
        tokens, end = [], len(content)
        while end:
            _, end, token = fewest[end]
            tokens += [] if token is None else [token]
        return tokens[::-1]

    def _unwritten(
        self, content: bytes, end: int, fewest: Sequence[tuple[float, int, int | None]]
    ) -> tuple[float, int, int | None]:
        """A character that ends here and is given up, which costs more than any pieces that could write it."""
        begin = end - 1
        while begin and content[begin] & 0xC0 == 0x80:
            begin -= 1
        is_whole = end == len(content) or content[end] & 0xC0 != 0x80
        return (fewest[begin][0] + 1e6, begin, self._unknown) if is_whole else (float("inf"), begin, None)


def learn(tokens: Tokens, texts: Iterable[str], size: int) -> Tokeniser:
    """A tokeniser of a kind, with a vocabulary of at most ``size`` pieces learned from texts."""
    match tokens:
        case "characters":
            return Characters.learned(texts, min(size, MOST_PIECES))
        case "bytes":
            return Bytes()
        case "bpe" | "unigram":
            return Learned.learned(tokens, texts, size)


@dataclass(frozen=True, kw_only=True)
class TextForm:
    """What every text is brought to.

    Args:
        tokeniser: Cuts it into tokens.
        length: Tokens of an example.
    """

    tokeniser: Tokeniser
    length: int

    def rows(self, texts: Sequence[str]) -> tuple[Array, int]:
        """Rows (N, length) of tokens, ended and padded, and how many texts were cut."""
        rows = np.full((len(texts), self.length), END, np.int64)
        cut = 0
        for row, tokens in zip(rows, self.tokeniser.encode(texts), strict=True):
            kept = tokens[: self.length]
            row[: len(kept)] = kept
            cut += len(tokens) > self.length
        return rows, cut


def _bytes_of(piece: str) -> bytes:
    """The bytes that a piece in GPT-2's alphabet stands for (Radford et al. 2019)."""
    return bytes(_ALPHABET[character] for character in piece)


def _alphabet() -> dict[str, int]:
    printed = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(_OFFSET + n): byte for n, byte in enumerate(others)}


_ALPHABET = _alphabet()
