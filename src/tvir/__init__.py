"""tvir makes, judges and creates with generative neural networks.

A **model** says how it learns and what it can do. A **run** is one model trained on one dataset within one budget.
A **scorecard** says how true, how varied and how faithful to the structure of the data a run's samples are.

    >>> import tvir
    >>> run = tvir.train("vae", data="digits", budget="20steps")  # doctest: +SKIP
    >>> run.sample(16, seed=1)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WORKFLOWS = {
    "train": "train", "resume": "train", "load": "run", "Run": "run",
    "sample": "sample", "interpolate": "sample", "reconstruct": "sample",
    "evaluate": "evaluate", "compare": "compare", "score": "score", "show": "show", "doctor": "doctor",
}  # fmt: skip
__all__ = sorted([*_WORKFLOWS, "__version__"])  # noqa: PLE0605

if TYPE_CHECKING:
    from tvir.workflows.compare import compare as compare
    from tvir.workflows.doctor import doctor as doctor
    from tvir.workflows.evaluate import evaluate as evaluate
    from tvir.workflows.run import Run as Run
    from tvir.workflows.run import load as load
    from tvir.workflows.sample import interpolate as interpolate
    from tvir.workflows.sample import reconstruct as reconstruct
    from tvir.workflows.sample import sample as sample
    from tvir.workflows.score import score as score
    from tvir.workflows.show import show as show
    from tvir.workflows.train import resume as resume
    from tvir.workflows.train import train as train


def __getattr__(name: str) -> Any:
    # torch takes over a second to import; `tvir --help` must not pay for it.
    if name in _WORKFLOWS:
        return getattr(importlib.import_module(f"tvir.workflows.{_WORKFLOWS[name]}"), name)
    raise AttributeError(f"module 'tvir' has no attribute {name!r}")
