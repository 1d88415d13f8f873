from pathlib import Path

import pytest

from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Axis, Direction, Score, Scorecard
from tvir.contracts.run import DataRecord, SpecRecord
from tvir.contracts.verdict import AxisRanks, PairVerdict
from tvir.workflows.ledger import Ledger, TrialResult, read_ledger, write_ledger


def ledger() -> Ledger:
    score = Score(
        axis=Axis.FIDELITY, metric="density", space="pixels", value=0.5, interval=(0.4, 0.6), floor=1.0,
        better=Direction.HIGHER, n_real=10, n_generated=10,
    )  # fmt: skip
    card = Scorecard(subject="vae", reference="digits", scores=(score,), findings=())
    verdict = PairVerdict(
        first="vae", second="gan", axis=Axis.FIDELITY, metric="density", space="pixels", gap=0.1, interval=None,
        seeds=2, ahead=None, doubt="seeds",
    )  # fmt: skip
    return Ledger(
        data=DataRecord(reference="digits", options={}, fingerprint="f", spec=SpecRecord(kind="image", size=(1, 8, 8))),
        budget="5steps", precision=None, jobs=1, threads=1, cards=[card], verdicts=[verdict],
        trials=[TrialResult(subject="vae", seed=0, path="vae/seed-0", status="finished", reason=None, card=card)],
        ranks=(AxisRanks(axis=Axis.FIDELITY, ranks={"vae": (1, 2), "gan": (1, 2)}),),
    )  # fmt: skip


def test_a_comparison_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_ledger(tmp_path / "comparison.json", ledger())
    found = read_ledger(tmp_path / "comparison.json")
    write_ledger(tmp_path / "again.json", found)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "comparison.json").read_bytes()
    assert found.cards[0].scores[0].interval == (0.4, 0.6)
    assert found.ranks[0].ranks == {"vae": (1, 2), "gan": (1, 2)}


def test_a_missing_comparison_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"make it with: tvir compare"):
        read_ledger(tmp_path / "comparison.json")


def test_what_is_no_comparison_is_told_with_its_first_fault(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text('{"schema": 1}', "utf-8")
    with pytest.raises(UsageError, match=r"cannot be read as a comparison: data: Field required"):
        read_ledger(tmp_path / "comparison.json")
