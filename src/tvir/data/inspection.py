"""What a person should know of their data before they train on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tvir.contracts.data import Array, DataSpec, Examples, ImageSpec, TextSpec

FEW = 64
"""With fewer examples a model can do little but copy them."""

MOST_COMPARED = 20_000
"""Near duplicates are looked for in sets up to this size."""

_NEAR = 4.0
"""Mean absolute difference in levels (of 255) below which two images of equal average hash are near duplicates."""

_CHUNK = 2 * 2**20
"""Bytes that are looked at together."""

_NAMED = 5


def inspect(spec: DataSpec, splits: Mapping[str, Examples]) -> tuple[str, ...]:
    """Findings about decoded data, one line each."""
    match spec:
        case ImageSpec():
            about_kind = _about_images(spec, splits)
        case TextSpec():
            about_kind = _about_texts(spec, splits)
        case _:
            about_kind = iter(())
    return (*_about_classes(spec, splits), *about_kind)


def _about_classes(spec: DataSpec, splits: Mapping[str, Examples]) -> Iterator[str]:
    labels = {name: examples.labels for name, examples in splits.items() if examples.labels is not None}
    if not labels:
        return
    every = np.concatenate([np.asarray(found) for found in labels.values()])
    unlabelled = int((every < 0).sum())
    if unlabelled:
        yield f"{unlabelled:,} of {len(every):,} examples are unlabelled"
    counts = np.bincount(every[every >= 0], minlength=len(spec.classes))
    training = np.asarray(labels["train"])
    trained = np.bincount(training[training >= 0], minlength=len(spec.classes))
    yield from _name_classes(spec, counts == 0, "are empty", "is empty")
    yield from _name_classes(spec, counts == 1, "have a single example each", "has a single example")
    absent = (trained == 0) & (counts > 0)
    yield from _name_classes(spec, absent, "have no training example", "has no training example")


def _name_classes(spec: DataSpec, which: Array, many: str, one: str) -> Iterator[str]:
    names = [repr(spec.classes[index]) for index in np.flatnonzero(which)]
    if len(names) == 1:
        yield f"the class {names[0]} {one}"
    elif names:
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        yield f"{len(names):,} classes {many}: {', '.join(names[:_NAMED])}{more}"


def _about_images(spec: ImageSpec, splits: Mapping[str, Examples]) -> Iterator[str]:
    count = sum(map(len, splits.values()))
    if count == 1:
        yield "there is one image: a model can only learn to repeat it"
    elif count < FEW:
        yield f"there are only {count} images: a model can do little but copy them; {FEW} is the least that makes sense"
    signs = [_Signs(examples) for examples in splits.values()]
    constant = sum(int(found.constant.sum()) for found in signs)
    if constant:
        yield f"{constant:,} of {count:,} images are of one colour all over"
    if spec.channels == 3 and all(found.gray for found in signs):
        yield "every image is gray though stored in colour: --channels 1 trains faster"
    yield from _about_duplicates(dict(zip(splits, [found.content for found in signs], strict=True)), "images")
    if count <= MOST_COMPARED:
        near = _near_duplicates(signs, list(splits.values()))
        if near:
            yield f"{near:,} of {count:,} images are nearly equal to another one"


def _about_texts(spec: TextSpec, splits: Mapping[str, Examples]) -> Iterator[str]:
    count = sum(map(len, splits.values()))
    if count == 1:
        yield "there is one text: a model can only learn to repeat it"
    elif count < FEW:
        yield f"there are only {count} texts: a model can do little but copy them; {FEW} is the least that makes sense"
    contents = {name: _contents(examples) for name, examples in splits.items()}
    yield from _about_duplicates(contents, "texts")
    if count <= MOST_COMPARED:
        bare = {name: np.array([_bare(text) for text in spec.texts(found.rows)]) for name, found in splits.items()}
        every = np.concatenate(list(bare.values()))
        near = len(np.unique(np.concatenate(list(contents.values())))) - len(np.unique(every))
        if near > 0:
            yield f"{near:,} of {count:,} texts are equal to another one but for case, spaces and punctuation"


def _bare(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(filter(str.isalnum, text.casefold())) or text


def _contents(examples: Examples) -> Array:
    """A content hash of every example, (N,)."""
    step = max(1, _CHUNK // max(1, examples.rows[0].nbytes))
    parts = []
    for start in range(0, len(examples), step):
        rows = np.ascontiguousarray(examples.take(np.arange(start, min(start + step, len(examples)))))
        parts.append(_content_hash(rows.view(np.uint8)))
    return np.concatenate(parts)


def _about_duplicates(contents: Mapping[str, Array], noun: str) -> Iterator[str]:
    every = np.concatenate(list(contents.values()))
    repeated = len(every) - len(np.unique(every))
    if repeated:
        yield f"{repeated:,} of {len(every):,} {noun} repeat another one exactly"
    for name, found in contents.items():
        leaked = int(np.isin(found, contents["train"]).sum()) if name != "train" else 0
        if leaked:
            yield f"leakage: {leaked:,} of the {len(found):,} {name} {noun} are among the training {noun} too"


class _Signs:
    """What duplicates, constant and gray images are recognised by, for one split.

    ``content`` is a uint64 per image, equal for equal images; ``average`` an 8 x 8 average hash as a uint64;
    ``constant`` a bool; ``gray`` is about the split as a whole.
    """

    def __init__(self, examples: Examples) -> None:
        content, average, constant = [], [], []
        self.gray = True
        step = max(1, _CHUNK // max(1, examples.rows[0].nbytes))
        for start in range(0, len(examples), step):
            rows = examples.take(np.arange(start, min(start + step, len(examples))))
            flat = rows.reshape(len(rows), -1)
            content.append(_content_hash(flat))
            average.append(_average_hash(rows))
            constant.append((rows == rows[:, :1, :1]).all(axis=(1, 2, 3)))
            self.gray = self.gray and bool((rows == rows[..., :1]).all())
        self.content = np.concatenate(content)
        self.average = np.concatenate(average)
        self.constant = np.concatenate(constant)


def _content_hash(flat: Array) -> Array:
    """A multiply-shift hash (Dietzfelbinger et al. 1997) of every row: 64 bits, enough against chance."""
    padded = np.pad(flat, ((0, 0), (0, -flat.shape[1] % 8)))
    words = np.ascontiguousarray(padded).view(np.uint64)
    words ^= words >> np.uint64(32)
    factors = np.random.default_rng(0).integers(1, 2**63, words.shape[1], dtype=np.uint64) * 2 + 1
    return (words * factors).sum(axis=1, dtype=np.uint64)


def _average_hash(rows: Array) -> Array:
    """One bit for each cell of an 8 x 8 grid: whether it is brighter than the image's mean."""
    gray = rows.mean(axis=3, dtype=np.float32)
    for axis in (1, 2):
        edges = np.arange(8) * gray.shape[axis] // 8
        sizes = np.diff(np.append(edges, gray.shape[axis])).astype(np.float32)
        gray = np.add.reduceat(gray, edges, axis=axis) / sizes.reshape(-1, *([1] * (2 - axis)))
    cells = gray.reshape(len(rows), 64)
    return np.packbits(cells > cells.mean(axis=1, keepdims=True), axis=1).view(np.uint64)[:, 0]


def _near_duplicates(signs: list[_Signs], splits: list[Examples]) -> int:
    """How many images differ by next to nothing from the first image with their average hash."""
    average = np.concatenate([found.average for found in signs])
    content = np.concatenate([found.content for found in signs])
    constant = np.concatenate([found.constant for found in signs])
    starts = np.cumsum([0, *map(len, splits)])

    def row(index: int) -> Array:
        split = int(np.searchsorted(starts, index, side="right")) - 1
        return splits[split].take(np.array([index - starts[split]]))[0].astype(np.int16)

    near = 0
    order = np.argsort(average, kind="stable")
    first = -1
    for index in order:
        if constant[index]:
            continue
        if first < 0 or average[index] != average[first]:
            first = index
        elif content[index] != content[first]:
            near += float(np.abs(row(index) - row(first)).mean()) < _NEAR
    return near
