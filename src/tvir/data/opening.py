"""From a reference to a dataset."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any

import tvir.data
from tvir.contracts.data import Dataset, Examples
from tvir.contracts.discovery import discover
from tvir.contracts.errors import TvirError, UsageError
from tvir.data.building import build_entry, settle_images
from tvir.data.cache import Entry, open_entry, recall_options, remember_options
from tvir.data.files import printable
from tvir.data.images import Fit
from tvir.data.options import ImageOptions, Size
from tvir.data.source import Progress, Source, no_progress
from tvir.data.splits import SPLITS
from tvir.data.text_options import TextOptions
from tvir.data.texts import TextFiles
from tvir.data.tokenising import Tokens

_DECODER = 1
"""Part of every cache key: raised when the same files are decoded to other rows than before."""

Wishes = ImageOptions | TextOptions
"""How the data is to be read."""


def open_dataset(
    reference: str,
    *,
    size: Size = None,
    channels: int | None = None,
    fit: Fit = "crop",
    strict: bool = False,
    tokens: Tokens | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
    windows: bool = False,
    column: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Read a dataset, from the cache if its content is known there.

    Args:
        reference: A built-in name, a path, or ``hf:OWNER/NAME``.
        size: Side of the images in pixels, (height, width), or text such as ``"48x64"``; each from 8 to 256. By
            default the images' own size if all are equal, else a square of at most 64.
        channels: 1 (gray), 3 (RGB) or 4 (RGBA); by default 1 if every image is gray, else 3.
        fit: Whether images of other proportions are cut to their centre or padded with black.
        strict: Whether an undecodable example is an error instead of being named and skipped.
        tokens: What text is cut into: characters, bytes, or pieces learned from the training split (bpe, unigram).
        vocabulary: Most pieces; by default every character of the training split, or 2,048 learned pieces.
        length: Tokens of an example; by default that of the longest text, at most 256, and 128 for windows.
        windows: Whether all lines are one running text, to be cut into windows of that length.
        column: The column of text in a table; by default the one whose name says so, or the only one.
        progress: Called with what is being done, how much is done and how much there is.

    Raises:
        UsageError: There is no such data, or an option is not possible.
        TvirError: The data cannot be read.

    Example:
        >>> digits = open_dataset("digits")
        >>> digits.spec.shape, len(digits.train), len(digits.validation), len(digits.test)
        ((1, 8, 8), 1079, 359, 359)
    """
    images = ImageOptions.checked(size, channels, fit)
    text = TextOptions.checked(tokens, vocabulary, length, windows, column)
    source = find_source(reference)
    asked = _wishes(reference, source, images, text)
    tell = progress or no_progress
    content = source.content_hash(tell)
    entry = _known(content, asked) or _read(reference, source, content, asked, tell)
    if strict and entry.record.skipped:
        raise TvirError(
            f"{entry.skipped_text()}; without --strict they are skipped; all are named in {entry.skipped_path}"
        )
    return _dataset(reference, source, content, entry, strict)


def find_source(reference: str) -> Source:
    """The source that a reference means.

    Raises:
        UsageError: No kind of source recognises it.
    """
    kinds = sorted(discover(tvir.data, Source), key=lambda kind: (-kind.precedence, kind.__name__))
    for kind in kinds:
        if source := kind.recognise(reference):
            return source
    raise UsageError(_unknown(reference, kinds))


def _unknown(reference: str, kinds: list[type[Source]]) -> str:
    path = Path(reference).expanduser()
    names = [name for kind in kinds for name in kind.built_in]
    expected = "; expected " + ", ".join(kind.expects for kind in sorted(kinds, key=lambda kind: kind.__name__))
    if path.exists():
        return f"{printable(reference)} is not data that can be read{expected}"
    try:
        beside = [str(Path(reference).parent / found.name) for found in path.absolute().parent.iterdir()]
    except OSError:
        beside = []
    close = difflib.get_close_matches(reference, [*names, *beside], n=3, cutoff=0.7)
    meant = f"; did you mean {' or '.join(map(printable, close))}?" if close else ""
    return f"there is no data {printable(reference)!r}{meant}{expected}"


def _known(content: str, asked: Wishes) -> Entry | None:
    """The entry that an earlier reading of the same content with the same wishes has left."""
    options = recall_options(content, asked.asked())
    return None if options is None else open_entry(_cache_key(_fingerprint(content, options)))


def _read(reference: str, source: Source, content: str, asked: Wishes, tell: Progress) -> Entry:
    if isinstance(source, TextFiles):
        assert isinstance(asked, TextOptions)
        settled = asked.settle(reference, source, tell)
    else:
        assert isinstance(asked, ImageOptions)
        settled = settle_images(reference, source, asked, tell)
    key = _cache_key(_fingerprint(content, settled.options))
    if not open_entry(key):
        build_entry(reference, settled, key, tell)
    entry = open_entry(key)
    if entry is None:
        raise TvirError("the decoded data vanished from the cache while it was being opened; try again")
    for wishes in (asked.asked(), settled.options):  # asking for exactly what was settled on means the same entry
        remember_options(content, wishes, settled.options)
    return entry


def _wishes(reference: str, source: Source, images: ImageOptions, text: TextOptions) -> Wishes:
    """The options that concern a source; the others must not have been given."""
    if isinstance(source, TextFiles):
        if images.size or images.channels:
            raise UsageError(f"{printable(reference)} holds text, not images: it has no size and no channels to choose")
        return text
    if given := list(text.asked()):
        raise UsageError(f"{printable(reference)} holds no text: leave --{given[0]} out")
    return images


def _dataset(reference: str, source: Source, content: str, entry: Entry, strict: bool) -> Dataset:
    findings = entry.record.findings
    if entry.record.skipped:
        findings = (f"{entry.skipped_text()}; all are named in {entry.skipped_path}", *findings)
    train = entry.splits["train"]
    dealing = entry.record.dealing
    missing = [name for name in SPLITS if name not in entry.splits]
    if missing:
        dealing = (*dealing, f"too few examples for a {' and a '.join(missing)} split: the training examples stand in")
    splits: dict[str, Examples] = {name: entry.splits.get(name, train) for name in SPLITS}
    return Dataset(
        reference=reference,
        options={**entry.record.options, **({"strict": True} if strict else {})},
        fingerprint=_fingerprint(content, entry.record.options),
        findings=findings,
        dealing=dealing,
        modes=source.modes(),
        **splits,
    )


def _fingerprint(content: str, options: dict[str, Any]) -> str:
    return hashlib.blake2b(json.dumps([content, options], sort_keys=True).encode(), digest_size=16).hexdigest()


def _cache_key(fingerprint: str) -> str:
    return f"{fingerprint}-{_DECODER}"
