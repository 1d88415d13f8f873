"""The page of the study of Unbalanced GANs: curves, tables and what the numbers support, in English and Ukrainian.

Every sentence follows from the results by the rules that the page states; nothing here knows an outcome.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatter

from tvir.comparison.statistics import FEWEST_SEEDS, holm, paired_gap, seed_interval

Result = Mapping[str, Any]
Words = Mapping[str, str]

WORDS: Mapping[str, Words] = json.loads(Path(__file__).with_name("unbalanced_words.json").read_text("utf-8"))
"""What the page says, by language."""

EARLY = 0.3
"""Share of the compute at which a training is early: pre-training is over, the game has begun."""

FIRST = 0.04
"""Convergence is the mean from this share of the compute to the end."""

COLOURS = {
    "random": "#000000",
    "vae": "#0072B2",
    "ae": "#56B4E9",
    "vae+encoder": "#D55E00",
    "vae+aggregated": "#009E73",
}
"""Okabe and Ito's, which colour-blind readers tell apart."""

MARKS = {"random": "o", "vae": "s", "ae": "^", "vae+encoder": "D", "vae+aggregated": "v"}


@dataclass(frozen=True)
class Measure:
    """A score that the study follows.

    Args:
        name: As the metric calls it.
        collapsed: A final value below this is a collapse, or None where this score does not tell.
    """

    name: str
    collapsed: float | None = None

    def is_collapse(self, value: float) -> bool:
        """Whether a final value is one of a collapsed generator."""
        return self.collapsed is not None and value < self.collapsed


TOYS = {"ring8": 8, "grid25": 25}
"""Modes of the data whose truth is known."""


def stacked_modes(result: Result) -> int:
    """How many classes stacked images have; 0 for other data. Results of old do not say."""
    return result.get("modes", 0)


def quality(result: Result) -> Measure:
    """What curves show and convergence is read from."""
    if stacked_modes(result):
        return Measure("class_kl")
    return Measure("reverse_kl" if result["data"] in TOYS else "frechet_distance")


def diversity(result: Result) -> Measure:
    """What mode collapse is read from."""
    if modes := stacked_modes(result):
        return Measure("mode_count", modes / 2)
    if modes := TOYS.get(result["data"]):
        return Measure("modes_found", modes / 2)
    return Measure("coverage", 0.1)


def other(result: Result) -> str:
    """What the table shows besides."""
    if stacked_modes(result):
        return "frechet_distance"
    return "high_quality_share" if result["data"] in TOYS else "density"


def at(result: Result, name: str, share: float) -> float:
    """A score at a share of the compute, interpolated between the two nearest pictures; NaN where there is none."""
    known = [(point["share"], point[name]) for point in result["points"] if name in point]
    if not known or known[-1][0] < share - 1e-6:
        return math.nan
    shares, values = zip(*known, strict=True)
    return float(np.interp(share, shares, values))


def convergence(result: Result, name: str) -> float:
    """Mean of a score over the compute, from ``FIRST`` to the end."""
    shares = np.linspace(FIRST, 1, 97)
    return float(np.mean([at(result, name, share) for share in shares]))


def failed(result: Result) -> bool:
    """Whether a training diverged, or its generator collapsed in the end."""
    measure = diversity(result)
    final = at(result, measure.name, 1.0)
    return bool(result["failure"]) or math.isnan(final) or measure.is_collapse(final)


def steadiness(result: Result) -> float:
    """Deviation of the critic's loss; NaN where the generator collapsed, since a game that is over is calm."""
    deviation = result["critic_loss_deviation"]
    return math.nan if deviation is None or failed(result) else deviation


Reading = Callable[[Result], float]
"""A number of one training; NaN where it has none."""


@dataclass(frozen=True)
class Claim:
    """One of the paper's claims as a number of a training.

    Args:
        key: Of its words.
        read: The number.
        higher: Whether more supports the claim.
    """

    key: str
    read: Reading
    higher: bool


def final_diversity(result: Result) -> float:
    """What mode collapse is read from; a training that diverged has nothing to show."""
    return 0.0 if result["failure"] else at(result, diversity(result).name, 1.0)


CLAIMS = (
    Claim("collapse", final_diversity, True),
    Claim("steady", steadiness, False),
    Claim("fast", lambda result: convergence(result, quality(result).name), False),
    Claim("early", lambda result: at(result, quality(result).name, EARLY), False),
)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """An arm against the random start, over the seeds both have."""

    data: str
    loss: str
    arm: str
    gap: float
    seeds: int
    p_value: float | None
    better: bool


def gaps(results: Sequence[Result], claim: Claim) -> list[Gap]:
    """Every arm against the random start; p values are corrected over the claim for each data (Holm 1979).

    Data sets are added one by one: what one of them decided must not change when another comes.
    """
    every = dict.fromkeys(result["data"] for result in results)
    return [gap for data in every for gap in _gaps([r for r in results if r["data"] == data], claim)]


def _gaps(results: Sequence[Result], claim: Claim) -> list[Gap]:
    table: dict[tuple[str, str, str], dict[int, float]] = {}
    for result in results:
        value = claim.read(result)
        if math.isfinite(value):
            table.setdefault((result["data"], result["loss"], result["arm"]), {})[result["seed"]] = value
    found = []
    for (data, loss, arm), values in table.items():
        base = table.get((data, loss, "random"), {})
        seeds = sorted(set(values) & set(base))
        if arm == "random" or not seeds:
            continue
        gap = paired_gap([values[seed] for seed in seeds], [base[seed] for seed in seeds])
        better = gap.gap > 0 if claim.higher else gap.gap < 0
        found.append((data, loss, arm, gap, better))
    tested = [index for index, one in enumerate(found) if one[3].p_value is not None]
    corrected = dict(zip(tested, holm([found[index][3].p_value or 0.0 for index in tested]), strict=True))
    return [
        Gap(
            data=data, loss=loss, arm=arm, gap=gap.gap, seeds=gap.seeds, better=better,
            p_value=corrected[index].p_value if index in corrected else None,
        )
        for index, (data, loss, arm, gap, better) in enumerate(found)
    ]  # fmt: skip


def _seeds(results: Sequence[Result], data: str) -> int:
    return len({result["seed"] for result in results if result["data"] == data})


def write_pages(results: Sequence[Result], out: Path) -> None:
    """Write ``unbalanced.md`` and ``unbalanced.uk.md`` beside the folder of results, and the curves into it."""
    results = [result for result in results if _seeds(results, result["data"]) >= FEWEST_SEEDS]
    if not results:
        print(f"there are no data with {FEWEST_SEEDS} seeds yet")
        return
    for language, words in WORDS.items():
        suffix = "" if language == "en" else f".{language}"
        data = sorted({result["data"] for result in results}, key=lambda name: (name not in TOYS, name))
        for name in data:
            draw(results, name, words, out / f"{name}{suffix}.png")
        page = out.parent / f"{out.name}{suffix}.md"
        page.write_text("\n".join(_page(results, data, words, out.name, suffix)) + "\n", "utf-8")
        print(f"wrote {page}")


class PlainNumbers(LogFormatter):
    """Numbers of a logarithmic axis as people write them: 0.1 and 20, no powers of ten."""

    def __call__(self, x: float, pos: Any = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def draw(results: Sequence[Result], data: str, words: Words, path: Path) -> None:
    """Curves over the compute: a panel for every loss, a line for every arm, its band the range over seeds."""
    measure = quality(next(r for r in results if r["data"] == data))
    losses = list(dict.fromkeys(r["loss"] for r in results if r["data"] == data))
    columns = min(2, len(losses))
    rows = -(-len(losses) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.2 * columns, 3.2 * rows), sharex=True, squeeze=False, layout="constrained"
    )
    shares = np.linspace(0.02, 1, 50)
    for axis, loss in zip(axes.flat, losses, strict=False):
        for arm in COLOURS:
            mine = [r for r in results if (r["data"], r["loss"], r["arm"]) == (data, loss, arm)]
            curves = np.array([[at(r, measure.name, share) for share in shares] for r in mine])
            if not len(curves) or np.isnan(curves).all():
                continue
            kept = ~np.isnan(curves).all(0)
            line = {"color": COLOURS[arm], "marker": MARKS[arm], "markevery": 7, "markersize": 4, "linewidth": 1.6}
            axis.plot(shares[kept], np.nanmean(curves[:, kept], 0), label=words[f"arm.{arm}"], **line)
            low, high = np.nanmin(curves[:, kept], 0), np.nanmax(curves[:, kept], 0)
            axis.fill_between(shares[kept], low, high, color=COLOURS[arm], alpha=0.12, linewidth=0)
        axis.set_title(words[f"loss.{loss}"], fontsize=10)
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(PlainNumbers())
        axis.yaxis.set_minor_formatter(PlainNumbers(minor_thresholds=(1, 0.5)))
        axis.grid(alpha=0.3)
        axis.set_ylabel(words[f"score.{measure.name}"], fontsize=9)
        axis.set_xlabel(words["compute"], fontsize=9)
    for axis in list(axes.flat)[len(losses) :]:
        axis.set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=1 + columns, fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _page(results: Sequence[Result], data: Sequence[str], words: Words, folder: str, suffix: str) -> list[str]:
    lines = [f"# {words['title']}", "", words["question"], "", f"## {words['answer']}", ""]
    lines += [*_claims_table(results, data, words), "", words["claims.table"], ""]
    lines += [_claim_line(results, claim, words) for claim in CLAIMS]
    lines += ["", words["rules"].format(early=f"{EARLY:.0%}", first=f"{FIRST:.0%}"), "", f"## {words['setting']}", ""]
    lines += [words["setting.text"], ""]
    lines += [_setting(results, name, words) for name in data]
    for name in data:
        measure = quality(next(r for r in results if r["data"] == name))
        lines += ["", f"## {name}", "", f"![{words['curves']} {name}]({folder}/{name}{suffix}.png)", ""]
        lines += [words["table"].format(score=words[f"score.{measure.name}"])]
        lines += ["", *_table(results, name, words)]
    return [*lines, "", f"## {words['again']}", "", words["again.text"]]


def _claims_table(results: Sequence[Result], data: Sequence[str], words: Words) -> list[str]:
    """For every data and claim how many comparisons are for it, against it and undecided."""
    header = [words["data"], *(words[f"claim.{claim.key}"].strip("*") for claim in CLAIMS), words["failed.starts"]]
    lines = ["| " + " | ".join(header) + " |", "|---|" + "--:|" * (len(header) - 1)]
    for name in data:
        mine = [result for result in results if result["data"] == name]
        cells = [_decided_cell(gaps(mine, claim), words) for claim in CLAIMS]
        random = [failed(result) for result in mine if result["arm"] == "random"]
        trained = [failed(result) for result in mine if result["arm"] != "random"]
        cells.append(f"{sum(random)}/{len(random)} · {sum(trained)}/{len(trained)}")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def _decided_cell(found: Sequence[Gap], words: Words) -> str:
    decided = [gap for gap in found if _is_decided(gap)]
    better = sum(gap.better for gap in decided)
    return words["claims.cell"].format(
        better=better, worse=len(decided) - better, all=len(found), leaning=sum(gap.better for gap in found)
    )


def _is_decided(gap: Gap) -> bool:
    return gap.p_value is not None and gap.p_value < 0.05


def _claim_line(results: Sequence[Result], claim: Claim, words: Words) -> str:
    found = gaps(results, claim)
    decided = [gap for gap in found if _is_decided(gap)]
    better, worse = [gap for gap in decided if gap.better], [gap for gap in decided if not gap.better]
    text = words["claim.line"].format(
        claim=words[f"claim.{claim.key}"], better=len(better), worse=len(worse),
        open=len(found) - len(decided), all=len(found), leaning=sum(gap.better for gap in found),
    )  # fmt: skip
    where = [
        words[key].format(where="; ".join(_where(group, words)))
        for key, group in (("claim.better", better), ("claim.worse", worse))
        if group
    ]
    if claim.key == "steady":
        where.append(_failures(results, words))
    return " ".join([f"- {text}", *where])


def _where(found: Sequence[Gap], words: Words) -> list[str]:
    places: dict[tuple[str, str], list[str]] = {}
    for gap in found:
        places.setdefault((gap.data, gap.loss), []).append(words[f"arm.{gap.arm}"])
    return [f"{data}, {words[f'loss.{loss}']}: {', '.join(arms)}" for (data, loss), arms in places.items()]


def _failures(results: Sequence[Result], words: Words) -> str:
    counts = {arm: [failed(result) for result in results if result["arm"] == arm] for arm in COLOURS}
    told = [f"{words[f'arm.{arm}']} {sum(found)}/{len(found)}" for arm, found in counts.items() if found]
    return words["failures"].format(counts=", ".join(told))


def _setting(results: Sequence[Result], data: str, words: Words) -> str:
    mine = [result for result in results if result["data"] == data]
    costs = sorted({result["petaflops"] for result in mine})
    return words["setting.data"].format(
        data=data, trials=len(mine), seeds=len({result["seed"] for result in mine}),
        scale=", ".join(f"{scale:g}" for scale in sorted({result["scale"] for result in mine})),
        cost=" – ".join(f"{cost:.3g}" for cost in (costs[:1] + costs[-1:] if len(costs) > 1 else costs)),
        seconds=f"{float(np.median([result['seconds'] for result in mine])):.0f}",
        machine=", ".join(sorted({result["machine"] for result in mine})),
        torch=", ".join(sorted({result["versions"].get("torch", "?") for result in mine})),
    )  # fmt: skip


def _table(results: Sequence[Result], data: str, words: Words) -> list[str]:
    one = next(r for r in results if r["data"] == data)
    measure = quality(one)
    shown = [measure.name, diversity(one).name, other(one)]
    header = [words["loss"], words["arm"], words["early"], *(words[f"score.{name}"] for name in shown)]
    header += [words["deviation"], words["failed"]]
    lines = ["| " + " | ".join(header) + " |", "|---|---|" + "--:|" * (len(header) - 2)]
    for loss in dict.fromkeys(r["loss"] for r in results if r["data"] == data):
        for arm in COLOURS:
            mine = [r for r in results if (r["data"], r["loss"], r["arm"]) == (data, loss, arm)]
            if not mine:
                continue
            cells = [words[f"loss.{loss}"], words[f"arm.{arm}"], _mean([at(r, measure.name, EARLY) for r in mine])]
            cells += [_mean([at(r, name, 1.0) for r in mine]) for name in shown]
            cells += [_mean([r["critic_loss_deviation"] or math.nan for r in mine])]
            cells += [f"{sum(map(failed, mine))}/{len(mine)}"]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def _mean(values: Sequence[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "–"
    interval = seed_interval(known)
    half = f" ± {_digits((interval[1] - interval[0]) / 2, 2)}" if interval else ""
    return f"{_digits(float(np.mean(known)), 3)}{half}"


def _digits(value: float, count: int) -> str:
    """So many significant digits, without an exponent where people would write none: 240, not 2.4e+02."""
    return f"{float(f'{value:.{count}g}'):g}"
