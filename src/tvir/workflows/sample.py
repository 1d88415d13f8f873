"""Creating with a run: new examples, walks between them, and what the model makes of real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tvir.contracts.data import Array, DataSpec, TextSpec
from tvir.contracts.errors import UsageError
from tvir.training.previews import picture
from tvir.workflows.requesting import Reading
from tvir.workflows.run import Run, load
from tvir.workflows.saving import check_form, replacing, save_rows, usual_suffix

_FRAME_MILLISECONDS = 80


def sample(
    run: Run | Path | str,
    count: int = 64,
    *,
    seed: int = 0,
    condition: str | int | None = None,
    steps: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    latent: str | None = None,
    to: Path | str | None = None,
    progress: Reading | None = None,
) -> Path:
    """Draw new examples and write them.

    Args:
        run: A run or its folder.
        count: How many.
        seed: Which endless row of samples; sample *i* of a seed is always the same.
        condition: A class by name or index, for conditional models.
        steps: That a sample takes, for models that sample in steps; by default as the model was configured.
        temperature: For models that draw tokens: below 1 the probable becomes more so; by default 1.
        top_p: For models that draw tokens: only the most probable ones of together this probability; by default 1.
        latent: For models that encode: what latents are drawn from, ``prior``, ``mixture``, ``flow`` or ``kernel``,
            fitted to the latents of training examples; by default the prior.
        to: A ``.png`` grid, a folder, ``.npy`` or ``.npz``; for text ``.txt`` or ``.jsonl``; by default
            ``samples-seedS.png`` (for text ``.txt``) in the run, with the name of what latents are drawn from.
        progress: Told while data is read.

    Returns:
        What was written.

    Raises:
        UsageError: The run cannot be sampled so, or ``to`` names no known form.
    """
    run = _opened(run)
    spec = run.record.data.spec.spec()
    source = "" if latent is None else f"-{latent.partition(':')[0]}"
    place = Path(to) if to is not None else run.path / f"samples{source}-seed{seed}{usual_suffix(spec)}"
    check_form(spec, count, place)
    with run.latents_from(latent, progress):
        pieces = run.batches(count, seed=seed, condition=condition, steps=steps, temperature=temperature, top_p=top_p)
        return save_rows(spec, pieces, count, place)


def interpolate(
    run: Run | Path | str,
    steps: int = 10,
    *,
    seeds: tuple[int, int] = (0, 1),
    count: int = 8,
    condition: str | int | None = None,
    to: Path | str | None = None,
) -> Path:
    """Walk from the latents of one seed to those of another and write what is seen on the way.

    Args:
        run: A run or its folder.
        steps: Examples on each walk, both ends included.
        seeds: Where the walks begin and where they end.
        count: Number of walks, one below the other.
        condition: The class that a conditional model stays in, by name or index; by default each walk has its own.
        to: ``.png`` for strips, ``.gif`` for a moving picture, ``.npy`` or ``.npz`` for rows (count, steps, ...), for
            text ``.txt``; by default ``interpolation-seedA-seedB.png`` (for text ``.txt``) in the run.

    Returns:
        What was written.

    Raises:
        UsageError: The model has no latents, there is no such class, or ``to`` names no known form.
    """
    run = _opened(run)
    spec = run.record.data.spec.spec()
    usual = f"interpolation-seed{seeds[0]}-seed{seeds[1]}{usual_suffix(spec)}"
    place = Path(to) if to is not None else run.path / usual
    _check_form(spec, place, (".png", ".gif", ".npy", ".npz"), "walks")
    walks = run.interpolate(steps, seeds=seeds, count=count, condition=condition)
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as temporary:
        _write_walks(spec, walks, temporary)
    return place


def reconstruct(
    run: Run | Path | str, count: int = 32, *, to: Path | str | None = None, progress: Reading | None = None
) -> Path:
    """Encode and decode examples of the test split and write each beside what the model made of it.

    Args:
        run: A run or its folder.
        count: How many examples, from the beginning of the test split.
        to: ``.png`` for pairs one above the other, ``.npy`` or ``.npz`` for rows (2, count, ...): the examples, then
            what was made of them, for text ``.txt``; by default ``reconstructions.png`` (for text ``.txt``) in the run.
        progress: Told while data is read.

    Returns:
        What was written.

    Raises:
        UsageError: The model does not encode, or ``to`` names no known form.
    """
    run = _opened(run)
    spec = run.record.data.spec.spec()
    place = Path(to) if to is not None else run.path / f"reconstructions{usual_suffix(spec)}"
    _check_form(spec, place, (".png", ".npy", ".npz"), "reconstructions")
    test = run.dataset(progress=progress).test
    if not 1 <= count <= len(test):
        raise UsageError(f"{count} examples cannot be reconstructed; the test split has {len(test)}, ask for 1 or more")
    originals = test.take(np.arange(count))
    made = run.reconstruct(originals)
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as temporary:
        if place.suffix.lower() == ".png":
            columns = min(count, 16)
            picture(test.spec, _paired(originals, made, columns), columns).save(temporary, format="PNG")
        elif isinstance(spec, TextSpec) and place.suffix.lower() == ".txt":
            _write_groups(spec, np.stack([originals, made], axis=1), temporary)
        else:
            _write_array(np.stack([originals, made]), temporary)
    return place


def _opened(run: Run | Path | str) -> Run:
    return run if isinstance(run, Run) else load(run)


def _write_walks(spec: DataSpec, walks: Array, to: Path) -> None:
    count, steps = walks.shape[:2]
    if to.suffix.lower() == ".png":
        picture(spec, walks.reshape(count * steps, *spec.row_shape), steps).save(to, format="PNG")
    elif to.suffix.lower() == ".gif":
        frames = [picture(spec, walks[:, step]) for step in range(steps)]
        frames += frames[-2:0:-1]  # there and back again, so that the loop has no jump
        frames[0].save(to, format="GIF", save_all=True, append_images=frames[1:], duration=_FRAME_MILLISECONDS, loop=0)
    elif isinstance(spec, TextSpec) and to.suffix.lower() == ".txt":
        _write_groups(spec, walks, to)
    else:
        _write_array(walks, to)


def _check_form(spec: DataSpec, place: Path, forms: tuple[str, ...], what: str) -> None:
    """Refuse a form before any work is done for it."""
    if isinstance(spec, TextSpec) and spec.pieces:
        forms = (".txt", ".npy", ".npz")
    if place.suffix.lower() not in forms or place.is_dir():
        *others, last = forms
        raise UsageError(f"{place} names no form that {what} can be written in; choose {', '.join(others)} or {last}")


def _write_groups(spec: TextSpec, rows: Array, to: Path) -> None:
    """Texts (groups, N, length), one below the other, with an empty line between groups."""
    groups = ["\n".join(spec.texts(group)) for group in rows]
    to.write_text("\n\n".join(groups) + "\n", "utf-8")


def _write_array(rows: Array, to: Path) -> None:
    if to.suffix.lower() == ".npz":
        np.savez_compressed(to, rows=rows)
    else:
        np.save(to, rows)


def _paired(originals: Array, made: Array, columns: int) -> Array:
    """Lines of originals, each followed by the line of what was made of them; the last line is filled up."""
    missing = -len(originals) % columns
    filler = np.full((missing, *originals.shape[1:]), 255 if originals.dtype == np.uint8 else 0, dtype=originals.dtype)
    both = [np.concatenate([rows, filler]).reshape(-1, columns, *rows.shape[1:]) for rows in (originals, made)]
    return np.stack(both, axis=1).reshape(-1, *originals.shape[1:])
