"""Tables and pictures of the page on the families of generative models, from comparisons that were held.

    tvir compare vae gan ... --data digits --budget 1Tflops --seeds 3 --jobs 1 --out RUNS/digits
    python recipes/methods.py digits=RUNS/digits [mnist=RUNS/mnist ...] [--pages docs/results]

Writes what stands between ``<!-- digits -->`` and ``<!-- /digits -->`` of methods.md and methods.uk.md, and the
pictures and the numbers beside them. What is said around the tables is written by hand.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

import tvir
from tvir.contracts.data import Array, ImageSpec
from tvir.contracts.metric import Axis
from tvir.reports.language import Words, capital, load_words
from tvir.reports.numbers import RowFormat, compact, floor_format, half_width, row_format
from tvir.reports.scores import ScoreRow, score_rows
from tvir.workflows.ledger import Ledger, read_ledger

_SHOWN = {
    "frechet_distance": "classifier", "density": "classifier", "coverage": "classifier", "tstr_gap": "",
    "spectrum_w1": "-", "copy_rate": "-", "samples_per_second": "",
}  # fmt: skip
"""Scores that have a column, with the beginning of the name of their space."""

_ACROSS = 12
"""Samples of a model in the picture."""

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "model": "model", "floor": "real data",
        "setting": "`{data}`, {budget} each, {seeds} seeds; {real} real and {made} generated examples. After ± the "
        "half-width of the 95 % interval over seeds. In italics: controls, fitted without a step.",
        "settings": "Settings that were written down: {which}.",
        "picture": "The first {count} samples of every model, training seed 0, never picked",
        "bits": "Bits per dimension of unseen examples, less is better; only values of one kind can be compared:",
        "ranks": "Places by axis, 1 the best; `1–3` are ties that the numbers do not break:",
        "none": "No model is ahead of all others everywhere.",
        "best": "`{model}` is behind none and ahead of every other.",
        "failed": "{count} of {all} trainings failed: {which}.",
    },
    "uk": {
        "model": "модель", "floor": "справжні дані",
        "setting": "`{data}`, по {budget}, зерен: {seeds}; справжніх прикладів {real}, створених {made}. Після ± — "
        "половина 95-відсоткового інтервалу за зернами. Курсивом — для порівняння, припасоване без жодного кроку.",
        "settings": "Налаштування, вказані окремо: {which}.",
        "picture": "Перші {count} зразків кожної моделі, зерно навчання 0, без добору",
        "bits": "Бітів на вимір для небачених прикладів, менше — краще; порівнювати можна лише значення одного роду:",
        "ranks": "Місця за осями, 1 — найкраще; `1–3` — нічия, якої числа не розв’язують:",
        "none": "Жодна модель не випереджає решту всюди.",
        "best": "`{model}` не поступається жодній і випереджає кожну.",
        "failed": "Не вдалися {count} з {all} навчань: {which}.",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Held:
    """A comparison that was held: its name on the page, its folder, and what came of it."""

    name: str
    folder: Path
    ledger: Ledger

    @property
    def contestants(self) -> list[str]:
        """The models, without controls."""
        return [card.subject for card in self.ledger.cards if card.subject not in self.ledger.controls]

    def short(self, subject: str) -> str:
        """A model without its settings, where that is enough to tell it from the others."""
        name = subject.split(":")[0]
        return name if [other.split(":")[0] for other in self.contestants].count(name) == 1 else subject


def tables(held: Held, language: str) -> str:
    """What the page says of a comparison."""
    words, texts, ledger = load_words(language), _TEXTS[language], held.ledger
    sizes = {score.n_real: score.n_generated for card in ledger.cards for score in card.scores if score.n_real}
    real, made = max(sizes.items())
    setting = texts["setting"].format(
        data=held.name, budget=ledger.budget, seeds=len({trial.seed for trial in ledger.trials}), real=real, made=made
    )
    if written := [subject for subject in held.contestants if ":" in subject]:
        setting += " " + texts["settings"].format(which=", ".join(f"`{subject}`" for subject in written))
    picture = texts["picture"].format(count=_ACROSS)
    parts = [setting, f"![{picture}](methods/{held.name}.png)", f"*{picture}.*", _scores(held, words, texts)]
    if kinds := _likelihoods(held, words):
        parts += [texts["bits"], "\n".join(kinds)]
    parts += [texts["ranks"], _ranks(held, words, texts)]
    best = ledger.dominating
    parts.append(texts["best"].format(model=held.short(best)) if best else texts["none"])
    if failed := [trial for trial in ledger.trials if trial.card is None]:
        which = ", ".join(f"`{held.short(trial.subject)}` ({trial.seed})" for trial in failed)
        parts.append(texts["failed"].format(count=len(failed), all=len(ledger.trials), which=which))
    return "\n\n".join(parts)


def _scores(held: Held, words: Words, texts: Mapping[str, str]) -> str:
    ledger = held.ledger
    cards = sorted(ledger.cards, key=lambda card: card.subject in ledger.controls)
    columns = list(_columns(score_rows(cards, ledger.verdicts, ledger.controls)))
    header = [texts["model"], *(_label(column, words) for column in columns)]
    floor = [texts["floor"], *(_floor(column, words) for column in columns)]
    lines = [header, ["---", *["--:"] * len(columns)], floor]
    for place, card in enumerate(cards):
        name = f"*{card.subject}*" if card.subject in ledger.controls else f"`{held.short(card.subject)}`"
        lines.append([name, *(_cell(column, place, words) for column in columns)])
    return _table(lines)


def _likelihoods(held: Held, words: Words) -> list[str]:
    """Bits per dimension, a line for every kind: a bound and an exact value are never in one row."""
    ledger = held.ledger
    rows = score_rows(ledger.cards, ledger.verdicts, ledger.controls).get(Axis.LIKELIHOOD, [])
    lines = []
    for row in (row for row in rows if row.metric == "bits_per_dim"):
        known = [
            f"`{held.short(card.subject)}` {_cell(row, place, words)}"
            for place, card in enumerate(ledger.cards)
            if row.scores[place] is not None and card.subject not in ledger.controls
        ]
        if known:
            lines.append(f"- {words.space(row.space)}: {', '.join(known)}")
    return lines


def _columns(rows: Mapping[Axis, Sequence[ScoreRow]]) -> Iterator[ScoreRow]:
    for row in (row for found in rows.values() for row in found):
        space = _SHOWN.get(row.metric)
        if space is not None and row.space.startswith(space):
            yield row


def _label(column: ScoreRow, words: Words) -> str:
    name = capital(words.metric(column.metric)) if column.axis is Axis.COST else column.label(words)
    return f"{name} {column.arrow}"


def _floor(column: ScoreRow, words: Words) -> str:
    return "–" if column.floor is None else floor_format(_layout(column), column.floor).number(column.floor, words)


def _cell(column: ScoreRow, place: int, words: Words) -> str:
    score = column.scores[place]
    if score is None:
        return "–"
    if column.metric == "samples_per_second":
        return compact(score.value, words)
    half, layout = half_width(score), _layout(column)
    if not score.value and not half:
        return "0"
    text = layout.number(score.value, words)
    return text if half is None else f"{text} ± {layout.number(half, words)}"


def _layout(column: ScoreRow) -> RowFormat:
    # Controls are far off, and would leave no digits to what is compared.
    return row_format(column.scaling)


def _ranks(held: Held, words: Words, texts: Mapping[str, str]) -> str:
    ranks = {found.axis: found.ranks for found in held.ledger.ranks}
    lines = [[texts["model"], *(capital(words(f"axis.{axis}")) for axis in ranks)], ["---", *[":-:"] * len(ranks)]]
    for subject in held.contestants:
        places = [found.get(subject) for found in ranks.values()]
        lines.append([f"`{held.short(subject)}`", *("–" if both is None else _place(*both) for both in places)])
    return _table(lines)


def _place(best: int, worst: int) -> str:
    return str(best) if best == worst else f"{best}–{worst}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw(held: Held) -> Figure:
    """A row of samples for every model."""
    runs = {trial.subject: held.folder / trial.path for trial in held.ledger.trials if trial.seed == 0 and trial.card}
    shown = {subject: _samples(runs[subject]) for subject in held.contestants if subject in runs}
    figure = Figure(figsize=(9.5, 0.72 * len(shown)), layout="constrained", facecolor="white")
    axes = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axis, (subject, images) in zip(axes, shown.items(), strict=True):
        # A white line apart, so that images without a frame do not run together.
        apart = np.pad(images, ((0, 0), (0, 0), (0, 2), (0, 0)), constant_values=255)
        line = np.concatenate(list(apart), axis=1)
        axis.imshow(line.squeeze(-1) if line.shape[-1] == 1 else line, cmap="gray", vmin=0, vmax=255)
        axis.set(xticks=[], yticks=[])
        axis.set_frame_on(False)
        axis.set_ylabel(held.short(subject), rotation=0, ha="right", va="center", fontsize=10, family="monospace")
    return figure


def _samples(path: Path) -> Array:
    run = tvir.load(path)
    if not isinstance(run.model.spec, ImageSpec):
        raise SystemExit(f"{path}: this page shows images; {type(run.model.spec).__name__} was given")
    return run.sample(_ACROSS, seed=0)


def insert(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of a comparison."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    found = page.read_text("utf-8")
    if begin not in found or end not in found:
        raise SystemExit(f"{page} has no place for {name}: write {begin} and {end} where it belongs")
    between = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    page.write_text(between.sub(lambda _: f"{begin}\n{text}\n{end}", found), "utf-8")


def main() -> None:
    """Write all that the given comparisons have to say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparisons", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--pages", type=Path, default=Path("docs/results"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    out = asked.pages / "methods"
    out.mkdir(parents=True, exist_ok=True)
    for name, folder in (given.split("=", 1) for given in asked.comparisons):
        held = Held(name, Path(folder), read_ledger(Path(folder) / "comparison.json"))
        draw(held).savefig(out / f"{name}.png", dpi=110)
        shutil.copy(Path(folder) / "comparison.csv", out / f"{name}.csv")
        for language, suffix in (("en", ""), ("uk", ".uk")):
            insert(asked.pages / f"methods{suffix}.md", name, tables(held, language))


if __name__ == "__main__":
    main()
