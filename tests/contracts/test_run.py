"""A run's record is validated when it is read and replaced whole when it is written."""

import json

import pytest

from tvir.contracts.errors import UsageError
from tvir.contracts.run import DataRecord, RunFolder, RunRecord, SpecRecord, write_atomically

RECORD = RunRecord(
    model="vae",
    config={"width": 8},
    data=DataRecord(reference="digits", fingerprint="abc", spec=SpecRecord(kind="image", size=(1, 8, 8))),
    budget="20steps",
    seed=3,
)


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write(RECORD)
    return folder


def tamper(folder, **changes):
    content = json.loads(folder.record_path.read_text())
    folder.record_path.write_text(json.dumps(content | changes))


def test_a_record_reads_back_as_it_was_written(folder):
    assert folder.read() == RECORD


def test_an_update_changes_only_what_it_names(folder):
    changed = folder.update(status="finished")
    assert changed == folder.read()
    assert changed.status == "finished"
    assert changed.config == RECORD.config


@pytest.mark.parametrize(
    "changes",
    [{"status": "done"}, {"seed": "three"}, {"schema": 2}, {"surprise": 1}, {"data": {"reference": "x"}}, {"model": 5}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_record_that_breaks_the_schema_is_refused_in_one_line(folder, changes):
    tamper(folder, **changes)
    with pytest.raises(UsageError) as refused:
        folder.read()
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(UsageError, match="no run"):
        RunFolder(tmp_path).read()


def test_a_huge_record_is_refused_before_it_is_read(folder):
    folder.record_path.write_bytes(b" " * (5 * 2**20))
    with pytest.raises(UsageError, match="too large"):
        folder.read()


def test_a_log_line_cut_short_by_a_crash_is_passed_over(folder):
    folder.metrics_path.write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert [line["step"] for line in folder.metrics()] == [1, 2]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
