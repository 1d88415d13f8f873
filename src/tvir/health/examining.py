"""Going through all checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tvir.contracts.errors import TvirError
from tvir.contracts.health import Condition, Finding
from tvir.contracts.model import ModelConfig, evaluating
from tvir.health.check import Case, Check, LogCheck, ModelCheck, find_checks
from tvir.health.history import History

_FAILURES = (ValueError, ArithmeticError, RuntimeError, TvirError)
"""What a check may fail with: the others go on."""


def examine_log(
    history: History, config: ModelConfig, *, checks: Sequence[Check] | None = None, fraction: float = 1.0
) -> Iterator[Finding]:
    """What the log of a run says, check by check.

    Args:
        history: The log.
        config: The model's settings.
        checks: Those to make; by default all.
        fraction: Share of the budget that is spent; checks that would come too early are left out.
    """
    for check in find_checks() if checks is None else checks:
        if isinstance(check, LogCheck) and check.earliest <= fraction and (found := check.read(history, config)):
            yield found


def examine_model(case: Case, *, checks: Sequence[Check] | None = None, fraction: float = 1.0) -> Iterator[Finding]:
    """What a model shows, check by check. It is left as it was, and no random number is drawn from torch's own state.

    Args:
        case: The model, its data and its log.
        checks: Those to make; by default all.
        fraction: Share of the budget that is spent; checks that would come too early are left out.
    """
    with evaluating(case.model):
        for check in find_checks() if checks is None else checks:
            if isinstance(check, ModelCheck) and check.earliest <= fraction and (found := _examined(check, case)):
                yield found


def _examined(check: ModelCheck, case: Case) -> Finding | None:
    try:
        return check.examine(case)
    except _FAILURES as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        return Finding(check=check.name, condition=Condition.UNKNOWN, reason=reason)
