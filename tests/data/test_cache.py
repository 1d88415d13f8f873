import os
import subprocess
import sys

import numpy as np
import pytest

from tvir.contracts.errors import TvirError
from tvir.data import building, cache, files
from tvir.data.opening import open_dataset


@pytest.fixture
def photos(fill, tmp_path, fresh_cache, monkeypatch):
    """A folder whose files count as old enough for their time stamps to be trusted."""
    monkeypatch.setattr(files, "_SETTLED", 0)
    return fill(tmp_path / "photos", 20)


def test_the_second_opening_neither_reads_nor_decodes(photos, monkeypatch):
    first = open_dataset(str(photos))
    monkeypatch.setattr(files, "_hash_file", lambda file: pytest.fail("a file was read"))
    monkeypatch.setattr(building, "decode_source", lambda *_: pytest.fail("something was decoded"))
    second = open_dataset(str(photos))
    assert second.fingerprint == first.fingerprint
    assert second.findings == first.findings
    np.testing.assert_array_equal(second.train.rows, first.train.rows)


def test_rows_are_mapped_not_loaded(photos):
    assert isinstance(open_dataset(str(photos)).train.rows, np.memmap)


def test_the_options_used_give_the_same_dataset_again(photos, monkeypatch):
    first = open_dataset(str(photos))
    monkeypatch.setattr(building, "decode_source", lambda *_: pytest.fail("something was decoded"))
    again = open_dataset(str(photos), **first.options)
    assert again.fingerprint == first.fingerprint
    assert again.options == first.options


def test_other_options_are_another_dataset(photos):
    first, smaller = open_dataset(str(photos)), open_dataset(str(photos), size=8, channels=1)
    assert smaller.fingerprint != first.fingerprint
    assert smaller.train.rows.shape[1:] == (8, 8, 1)


@pytest.mark.parametrize("change", ["content", "added", "removed", "renamed"])
def test_a_changed_folder_has_another_fingerprint(photos, picture, change):
    before = open_dataset(str(photos)).fingerprint
    if change == "content":
        picture(999).save(photos / "0003.png")
    elif change == "added":
        picture(999).save(photos / "new.png")
    elif change == "removed":
        (photos / "0003.png").unlink()
    else:
        (photos / "0003.png").rename(photos / "0003b.png")
    assert open_dataset(str(photos)).fingerprint != before


def test_a_change_that_keeps_size_and_time_is_noticed(photos):
    path = photos / "0003.png"
    before, stamp = open_dataset(str(photos)).fingerprint, path.stat()
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert open_dataset(str(photos)).fingerprint != before


def test_the_fingerprint_is_of_content_not_of_place_or_time(photos, tmp_path):
    before = open_dataset(str(photos)).fingerprint
    os.utime(photos / "0003.png")
    moved = photos.rename(tmp_path / "elsewhere")
    assert open_dataset(str(moved)).fingerprint == before


def test_files_younger_than_the_clocks_tick_are_not_taken_as_known(photos, monkeypatch):
    monkeypatch.setattr(files, "_SETTLED", 3600 * 10**9)
    open_dataset(str(photos))
    read = []
    original = files._hash_file
    monkeypatch.setattr(files, "_hash_file", lambda file: read.append(file) or original(file))
    open_dataset(str(photos))
    assert len(read) == 20


@pytest.mark.parametrize("damage", ["rows cut", "rows gone", "record cut", "record of another", "labels"])
def test_a_damaged_entry_is_built_again(photos, fresh_cache, damage):
    before = open_dataset(str(photos))
    expected = np.array(before.train.rows)
    (record,) = fresh_cache.rglob("entry.json")
    rows = record.parent / "train.npy"
    if damage == "rows cut":
        rows.write_bytes(rows.read_bytes()[:500])
    elif damage == "rows gone":
        rows.unlink()
    elif damage == "record cut":
        record.write_text(record.read_text()[:50])
    elif damage == "record of another":
        record.write_text(record.read_text().replace('"train": 12', '"train": 13'))
    else:
        np.save(record.parent / "train.labels.npy", np.zeros(3, np.int64))
    after = open_dataset(str(photos))
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.train.rows, expected)


def test_a_failed_build_leaves_nothing_behind(photos, fresh_cache, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(building, "inspect", fail)
    with pytest.raises(RuntimeError):
        open_dataset(str(photos))
    left = [path.name for path in (fresh_cache / "data").iterdir() if path.name not in ("content", "options")]
    assert left == []


@pytest.mark.slow
def test_two_processes_may_build_the_same_entry(photos, fresh_cache):
    code = f"from tvir.data.opening import open_dataset; print(open_dataset({str(photos)!r}).fingerprint)"
    environment = {**os.environ, "TVIR_CACHE": str(fresh_cache)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert len({process.communicate()[0] for process in running}) == 1
    assert all(process.returncode == 0 for process in running)
    assert len(list(fresh_cache.rglob("entry.json"))) == 1


def test_losing_the_race_keeps_the_winners_entry(fresh_cache):
    with cache.building("key") as slower:
        (slower / "who").write_text("slower")
        with cache.building("key") as faster:
            (faster / "who").write_text("faster")
    assert (fresh_cache / "data" / "key" / "who").read_text() == "faster"
    assert not list((fresh_cache / "data").glob(".building-*"))


def test_an_unusable_cache_says_how_to_move_it(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path / "file"))
    with pytest.raises(TvirError, match="set TVIR_CACHE to a folder"):
        open_dataset("ring8")


def test_a_full_disk_is_noticed_before_it_is_full(photos, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(TvirError, match="TVIR_CACHE"):
        open_dataset(str(photos))


def test_written_rows_are_what_numpy_reads(tmp_path):
    rows = np.arange(60, dtype=np.float32).reshape(5, 3, 4)
    writer = cache.RowWriter(tmp_path / "a.npy", (3, 4), np.dtype(np.float32))
    writer.write(rows[:2])
    writer.write(rows[2:2])
    writer.write(rows[2:])
    writer.close()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), rows)


def test_progress_ends_at_its_total(photos):
    told = {}
    open_dataset(str(photos), progress=lambda what, done, total: told.__setitem__(what, (done, total)))
    assert told == {"reading": (20, 20), "measuring": (20, 20), "decoding": (20, 20)}
