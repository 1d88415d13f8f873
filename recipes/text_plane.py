"""Are GANs of text better than a language model that is merely drawn from more carefully?

Every model has the same compute, counted in floating-point operations of training steps, and is measured by every
metric of text. The language model is drawn from at several temperatures: its curve in the plane of quality and
diversity is what a GAN has to lie above.

    python recipes/text_plane.py --data PATH/TO/captions.txt [--budget 3Tflops] [--seeds 3]
    python recipes/text_plane.py --data PATH/TO/captions.txt --models language-model text-gan-mle --size 500
    python recipes/text_plane.py --report

Runs are kept under --runs and what they came to under --out; the same command goes on where it was cut off and does
what is missing. --report draws the page from what is under --out alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from studying import silent, versions
from text_plane_report import write_pages

import tvir
from tvir.contracts.data import Dataset
from tvir.contracts.errors import TvirError
from tvir.contracts.run import write_atomically
from tvir.workflows.requesting import short_name
from tvir.workflows.run import Run, load
from tvir.workflows.text_plane import TextRuler

LANGUAGE_MODEL = "language-model"
_DECODER = {"decoder": "recurrent:width=192"}
_ENCODER = {**_DECODER, "encoder_width": 192}

MODELS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    LANGUAGE_MODEL: ("language-model", {"network": "lstm:width=192", "batch_size": 32}),
    "text-vae": ("text-vae", _ENCODER),
    "latent-gan": ("latent-gan", _ENCODER),
    "text-gan-none": ("text-gan", {**_DECODER, "pretraining": "none"}),
    "text-gan-mle": ("text-gan", {**_DECODER, "pretraining": "mle"}),
    "text-gan-vae": ("text-gan", {**_ENCODER, "pretraining": "vae"}),
    "masked-diffusion": ("masked-diffusion", {"width": 96, "layers": 3}),
}
"""What is trained, and with which settings; all that write token by token have the same LSTM."""

TEMPERATURES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.15)
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training, and how it is measured."""

    data: str
    model: str
    seed: int
    budget: str
    size: int
    reading: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the folder of the run, and of the file that the result is kept in."""
        return re.sub(r"[^\w.+-]", "-", f"{short_name(self.data)}_{self.model}_{self.seed}_{self.budget}")


def run_trial(trial: Trial, runs: Path) -> dict[str, Any]:
    """Train and measure one trial in this process."""
    torch.set_num_threads(1)
    started = time.process_time()
    run = _trained(trial, runs / trial.name)
    dataset = run.dataset()
    ruler = TextRuler(dataset, silent, size=trial.size)
    rows = run.sample(_SHOWN, seed=7)
    record = run.record
    return {
        **asdict(trial),
        "data": short_name(trial.data),
        "scores": ruler.measure_run(run),
        "real": ruler.real(),
        "curve": [asdict(p) for p in ruler.curve(run, TEMPERATURES)] if trial.model == LANGUAGE_MODEL else [],
        "samples": record.data.spec.spec().texts(rows),  # type: ignore[attr-defined]
        "texts": _texts(dataset),
        "steps": record.stage_steps,
        "parameters": sum(weight.numel() for weight in run.model.parameters()),
        "teraflops": record.spent.flops / 1e12,
        "seconds": time.process_time() - started,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": versions(),
    }


def _trained(trial: Trial, folder: Path) -> Run:
    """The finished run: one that was begun goes on, and one that was cut off is not measured."""
    if (folder / "run.json").exists():
        run = load(folder)
        run = run if run.record.status == "finished" else tvir.resume(folder)
    else:
        model, config = MODELS[trial.model]
        run = tvir.train(
            model, trial.data, budget=trial.budget, seed=trial.seed, out=folder, config=config, precision="float32",
            **trial.reading,
        )  # fmt: skip
    if run.record.status != "finished":
        sys.exit(f"{trial.name}: interrupted; the same command goes on with it")
    return run


def _texts(dataset: Dataset) -> dict[str, int]:
    return {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")}


def run_all(trials: Sequence[Trial], runs: Path, out: Path) -> None:
    """Do what is missing, one trial after the other, so that one that fails takes none with it."""
    out.mkdir(parents=True, exist_ok=True)
    for trial in trials:
        path = out / f"{trial.name}.json"
        if path.exists():
            print(f"{trial.name}: is there", flush=True)
            continue
        try:
            result = run_trial(trial, runs)
        except TvirError as error:
            print(f"{trial.name}: FAILED: {error}", file=sys.stderr, flush=True)
            continue
        write_atomically(path, json.dumps(result, indent=1, ensure_ascii=False).encode() + b"\n")
        print(f"{trial.name}: done in {result['seconds']:.0f} CPU seconds", flush=True)


def main() -> None:
    """Run trials, then write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[], help="files of text; none to write the pages only")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--budget", default="3Tflops")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1000, help="texts of either side that are compared")
    parser.add_argument("--tokens", default="bpe")
    parser.add_argument("--vocabulary", type=int, default=1024)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--windows", action="store_true", help="cut one running text into examples")
    parser.add_argument("--runs", type=Path, default=Path("runs/text-plane"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/text"))
    parser.add_argument("--report", action="store_true", help="write the pages from what is there, and run nothing")
    asked = parser.parse_args()
    reading = {name: getattr(asked, name) for name in ("tokens", "vocabulary", "length", "windows")}
    trials = [
        Trial(data=data, model=model, seed=seed, budget=asked.budget, size=asked.size, reading=reading)
        for data in asked.data
        for seed in range(asked.seeds)
        for model in asked.models
    ]
    if not asked.report:
        run_all(trials, asked.runs, asked.out)
    write_pages([json.loads(path.read_text("utf-8")) for path in sorted(asked.out.glob("*.json"))], asked.out)


if __name__ == "__main__":
    main()
