"""The page of the plane of quality and diversity of text, in English and Ukrainian.

Every sentence follows from the results by the rules that the page states; nothing here knows an outcome.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvir.comparison.quality_diversity import Side, side_of_curve
from tvir.contracts.plane import PlanePoint
from tvir.reports.plane import draw_plane
from tvir.workflows.text_plane import plane_point

Result = Mapping[str, Any]
Words = Mapping[str, str]

WORDS: Mapping[str, Words] = json.loads(Path(__file__).with_name("text_plane_words.json").read_text("utf-8"))
"""What the page says, by language."""

LANGUAGE_MODEL = "language-model"
ORDER = (
    LANGUAGE_MODEL, "text-vae", "latent-gan", "text-gan-none", "text-gan-mle", "text-gan-vae", "masked-diffusion",
)  # fmt: skip
GANS = ("latent-gan", "text-gan-none", "text-gan-mle", "text-gan-vae")
TOLERANCE = 0.01
"""Of BLEU-4: what lies closer to the curve lies on it. Seeds of the language model may lie further apart."""


def write_pages(results: Sequence[Result], out: Path) -> None:
    """Write the figures into the folder and the pages beside it."""
    if not results:
        print("there is nothing to report yet")
        return
    out.mkdir(parents=True, exist_ok=True)
    for language, words in WORDS.items():
        suffix = "" if language == "en" else f".{language}"
        lines = [f"# {words['title']}", "", words["question"], "", f"## {words['setting']}", ""]
        data = list(dict.fromkeys(result["data"] for result in results))
        lines += [_setting([r for r in results if r["data"] == name], name, words) for name in data]
        lines += ["", words["rules"].format(tolerance=_number(TOLERANCE, words))]
        for name in data:
            mine = sorted(
                (result for result in results if result["data"] == name),
                key=lambda result: (ORDER.index(result["model"]), result["seed"]),
            )
            lines += ["", f"## {name}", "", *_section(mine, name, out, suffix, words)]
        notes = out / f"notes{suffix}.md"  # what a person has to add, by hand
        if notes.exists():
            lines += ["", f"## {words['notes']}", "", notes.read_text("utf-8").strip()]
        lines += ["", f"## {words['again']}", "", words["again.text"], ""]
        out.with_name(f"{out.name}{suffix}.md").write_text("\n".join(lines), "utf-8")


def _section(results: Sequence[Result], data: str, out: Path, suffix: str, words: Words) -> list[str]:
    figure = out / f"{data}{suffix}.png"
    points = {words[f"model.{name}"]: _points(results, name) for name in _models(results) if name != LANGUAGE_MODEL}
    labels = {key: words[f"figure.{key}"] for key in ("curve", "real", "repetition", "fidelity")}
    draw_plane(_curves(results), points, plane_point(results[0]["real"]), labels, figure)
    return [
        f"![{words['figure.alt']} {data}]({out.name}/{figure.name})", "", *_verdicts(results, words), "",
        words["table.text"], "", *_table(results, words), "", f"### {words['samples']}", "",
        *_samples(results, words),
    ]  # fmt: skip


def _models(results: Sequence[Result]) -> list[str]:
    return [name for name in ORDER if any(result["model"] == name for result in results)]


def _points(results: Sequence[Result], model: str) -> list[PlanePoint]:
    return [plane_point(result["scores"]) for result in results if result["model"] == model]


def _curves(results: Sequence[Result]) -> list[list[PlanePoint]]:
    return [[PlanePoint(**point) for point in result["curve"]] for result in results if result["curve"]]


def _mean_curve(results: Sequence[Result]) -> list[PlanePoint]:
    """The mean over seeds at each temperature."""
    return [_mean_point(same) for same in zip(*_curves(results), strict=True)]


def _mean_point(points: Sequence[PlanePoint]) -> PlanePoint:
    return PlanePoint(
        repetition=float(np.mean([point.repetition for point in points])),
        fidelity=float(np.mean([point.fidelity for point in points])),
        temperature=points[0].temperature,
    )


def _verdicts(results: Sequence[Result], words: Words) -> list[str]:
    """Where the mean of each model lies, and what that says of GANs."""
    curve = _mean_curve(results)
    if not curve:
        return [words["verdict.nothing"]]
    sides = {
        name: side_of_curve(curve, _mean_point(_points(results, name)), TOLERANCE)
        for name in _models(results)
        if name != LANGUAGE_MODEL
    }
    lines = [
        words[f"verdict.{side.value}"].format(models=", ".join(words[f"model.{n}"] for n in named))
        for side in Side
        if (named := [name for name, found in sides.items() if found is side])
    ]
    gans = [sides[name] for name in GANS if name in sides]
    if gans:
        good = sum(side in (Side.ABOVE, Side.ON) for side in gans)
        lines.append(words["verdict.gans"].format(good=good, all=len(gans)))
    lines.append(words[f"verdict.real.{side_of_curve(curve, plane_point(results[0]['real']), TOLERANCE).value}"])
    return [" ".join(lines)]


def _table(results: Sequence[Result], words: Words) -> list[str]:
    models = _models(results)
    header = [words["score"], words["real"], *(words[f"model.{name}"] for name in models)]
    lines = ["| " + " | ".join(header) + " |", "|---|" + "--:|" * (len(header) - 1)]
    scores = list(dict.fromkeys(name for result in results for name in result["scores"]))
    for score in scores:
        cells = [
            _mean(
                [result["scores"][score] for result in results if result["model"] == m and score in result["scores"]],
                words,
            )
            for m in models
        ]
        real = results[0]["real"].get(score)
        lines.append("| " + " | ".join([f"`{score}`", "–" if real is None else _number(real, words), *cells]) + " |")
    seeds = [str(sum(result["model"] == m for result in results)) for m in models]
    lines.append("| " + " | ".join([words["seeds"], "–", *seeds]) + " |")
    for key in ("parameters", "teraflops"):
        cells = [_number(next(r[key] for r in results if r["model"] == m), words) for m in models]
        lines.append("| " + " | ".join([words[key], "–", *cells]) + " |")
    steps = [next(r["steps"] for r in results if r["model"] == m) for m in models]
    lines.append("| " + " | ".join([words["steps"], "–", *(" + ".join(map(str, s.values())) for s in steps)]) + " |")
    return lines


def _mean(values: Sequence[float], words: Words) -> str:
    if not values:
        return "–"
    spread = f" ({_number(min(values), words)}–{_number(max(values), words)})" if len(values) > 1 else ""
    return _number(float(np.mean(values)), words) + spread


def _number(value: float, words: Words) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace(",", "\u202f").replace(".", words["decimal"])


def _samples(results: Sequence[Result], words: Words) -> list[str]:
    lines = []
    for name in _models(results):
        first = next(result for result in results if result["model"] == name)
        lines += [f"**{words[f'model.{name}']}**", "", "```", *(text or "∅" for text in first["samples"]), "```", ""]
    return lines[:-1]


def _setting(results: Sequence[Result], data: str, words: Words) -> str:
    one = results[0]
    reading = one["reading"]
    return words["setting.data"].format(
        data=data, size=one["size"],
        budget=", ".join(sorted({result["budget"] for result in results})), **one["texts"],
        reading=f"--tokens {reading['tokens']} --vocabulary {reading['vocabulary']} --length {reading['length']}"
        + (" --windows" if reading["windows"] else ""),
        seconds=f"{float(np.median([result['seconds'] for result in results])):.0f}",
        machine=", ".join(sorted({result["machine"] for result in results})),
        torch=", ".join(sorted({result["versions"].get("torch", "?") for result in results})),
    )  # fmt: skip
