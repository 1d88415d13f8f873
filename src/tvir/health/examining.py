"""Going through all checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tvir.contracts.errors import TvirError
from tvir.contracts.health import Condition, Finding
from tvir.contracts.model import ModelConfig, evaluating
from tvir.health.age import Age
from tvir.health.check import Case, Check, LogCheck, ModelCheck, find_checks
from tvir.health.history import History

_GROWN = Age()

_FAILURES = (ValueError, ArithmeticError, RuntimeError, TvirError)
"""What a check may fail with: the others go on."""


def examine_log(
    history: History, config: ModelConfig, *, checks: Sequence[Check] | None = None, age: Age = _GROWN
) -> Iterator[Finding]:
    """What the log of a run says, check by check.

    Args:
        history: The log.
        config: The model's settings.
        checks: Those to make; by default all.
        age: Of the run; what a check sees before it is due is called early and no illness.
    """
    for check in find_checks() if checks is None else checks:
        if isinstance(check, LogCheck) and (found := check.read(history, config)):
            yield _at_age(age, check, found)


def examine_model(case: Case, *, checks: Sequence[Check] | None = None, age: Age = _GROWN) -> Iterator[Finding]:
    """What a model shows, check by check. It is left as it was, and no random number is drawn from torch's own state.

    Args:
        case: The model, its data and its log.
        checks: Those to make; by default all.
        age: Of the run; what a check sees before it is due is called early and no illness.
    """
    with evaluating(case.model):
        for check in find_checks() if checks is None else checks:
            if isinstance(check, ModelCheck) and (found := _examined(check, case)):
                yield _at_age(age, check, found)


def _at_age(age: Age, check: Check, found: Finding) -> Finding:
    if found.condition in (Condition.ILL, Condition.REMARK) and not check.is_due(age):
        return replace(found, condition=Condition.EARLY, flags=())
    return found


def _examined(check: ModelCheck, case: Case) -> Finding | None:
    try:
        return check.examine(case)
    except _FAILURES as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        return Finding(check=check.name, condition=Condition.UNKNOWN, reason=reason)
