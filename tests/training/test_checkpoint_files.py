"""Checkpoints survive crashes and full disks; those of strangers are refused before they can do harm."""

import hashlib
import json
import shutil
import struct
from collections import namedtuple
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from toy_models import PLANE, Duel, Mean, build, plan, plane_examples

from tvir.contracts.errors import UsageError
from tvir.contracts.tensors import read_tensors, write_tensors
from tvir.training import checkpoint
from tvir.training.checkpoint import NotSavedError, load_weights, newest_step, read_position
from tvir.training.observer import Observer
from tvir.training.trainer import Trainer


@pytest.fixture
def trained(tmp_path):
    folder = plan(tmp_path / "run", budget="6steps")
    Trainer(build(Duel, PLANE), plane_examples(), folder, checkpoint_seconds=0.0).run()
    return folder


def tamper(folder, step, part, content):
    """Replace a file and its seal, as a stranger would."""
    path = folder.checkpoints / str(step) / part
    path.write_bytes(content)
    manifest = path.with_name("manifest.json")
    seals = json.loads(manifest.read_text())
    seals[part] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest.write_text(json.dumps(seals))


def header(entries):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def test_only_the_newest_two_are_kept(trained):
    assert sorted(path.name for path in trained.checkpoints.iterdir()) == ["5", "6"]
    assert sorted(path.name for path in (trained.checkpoints / "6").iterdir()) == [
        "averaged.safetensors",
        "manifest.json",
        "optimisers.safetensors",
        "state.json",
        "weights.safetensors",
    ]


def test_raw_and_averaged_weights_load_and_differ(trained):
    raw, averaged = build(Duel, PLANE, seed=1), build(Duel, PLANE, seed=1)
    assert load_weights(trained, raw, averaged=False) == load_weights(trained, averaged) == 6
    assert not torch.equal(raw.generator[0].weight, averaged.generator[0].weight)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "manifest"])
def test_the_newest_checkpoint_that_verifies_wins(trained, damage):
    path = trained.checkpoints / "6" / "optimisers.safetensors"
    content = path.read_bytes()
    match damage:
        case "flip":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "cut":
            path.write_bytes(content[:-1])
        case "remove":
            path.unlink()
        case "manifest":
            path.with_name("manifest.json").unlink()
    notices = []
    assert newest_step(trained, notices.append) == 5
    assert len(notices) == 1
    assert "6 " in notices[0] or "6/" in notices[0]


def test_where_none_verifies_loading_says_so(trained):
    for step in (5, 6):
        (trained.checkpoints / str(step) / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match=r"has no weights to load.*manifest"):
        load_weights(trained, build(Duel, PLANE))
    shutil.rmtree(trained.checkpoints)
    with pytest.raises(UsageError, match="it has no checkpoint"):
        load_weights(trained, build(Duel, PLANE))


def test_a_full_disk_keeps_the_old_checkpoint_and_says_so(tmp_path, monkeypatch):
    folder, notes = plan(tmp_path, budget="4steps"), []
    observer = Observer()
    observer.noticed = notes.append
    Usage = namedtuple("Usage", "total used free")
    real = shutil.disk_usage

    def nearly_full(path):
        return Usage(1, 1, 10) if (folder.checkpoints / "0").exists() else real(path)

    monkeypatch.setattr(checkpoint.shutil, "disk_usage", nearly_full)
    with pytest.raises(NotSavedError, match="the one before is kept"):
        Trainer(build(Mean, PLANE), plane_examples(), folder, observer=observer, checkpoint_seconds=0.0).run()
    assert notes
    assert all("0 MB are free" in note for note in notes)
    assert newest_step(folder) == 0
    assert folder.read().status == "failed"


def test_an_error_in_writing_leaves_no_trace(tmp_path, monkeypatch, trained):
    def full(path, tensors):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_tensors", full)
    position = replace(read_position(trained, 6), steps=7)
    content = checkpoint.Content(position=position, weights={}, averaged={}, optimisers={})
    with pytest.raises(NotSavedError, match="No space left"):
        checkpoint.save_checkpoint(trained, content)
    assert sorted(path.name for path in trained.checkpoints.iterdir()) == ["5", "6"]


def test_the_same_step_can_be_saved_again(trained):
    position = replace(read_position(trained, 6), previews=0)
    content = checkpoint.Content(position=position, weights={"a": torch.ones(3)}, averaged={}, optimisers={})
    checkpoint.save_checkpoint(trained, content)
    assert newest_step(trained) == 6
    assert read_position(trained, 6).previews == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (struct.pack("<Q", 89 * 2**20) + b"{}", "header of 93,323,264 bytes"),
        (header({f"t{number}": {} for number in range(20_001)}), "20,001 tensors"),
        (b"\x80\x04pickle", "header"),
        (header([1, 2]), "header is no object"),
        (struct.pack("<Q", 200_000) + b"[" * 200_000, "cannot be parsed"),
        (struct.pack("<Q", 16) + b'{"a":{}, "a":{}}', "cannot be parsed"),
        (header({}), "lacks generator.0.weight"),
    ],
)
def test_strangers_weights_are_refused_in_one_line(trained, content, reason):
    tamper(trained, 6, "averaged.safetensors", content)
    with pytest.raises(UsageError, match=reason) as caught:
        load_weights(trained, build(Duel, PLANE))
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape_type_or_name_are_refused_unread(tmp_path):
    path = tmp_path / "a.safetensors"
    target = {"a": torch.zeros(2, 3)}
    for wrong, reason in [
        ({"a": torch.ones(3, 2)}, r"a is F32 \[3, 2\] where the settings ask for F32 \[2, 3\]"),
        ({"a": torch.ones(1, 3)}, "where the settings ask"),
        ({"a": torch.ones(2, 3, dtype=torch.float64)}, r"F64 \[2, 3\]"),
        ({"a": torch.ones(2, 3), "b": torch.ones(1)}, "holds 'b'"),
        ({}, "lacks a"),
    ]:
        save_file(wrong, path)
        with pytest.raises(UsageError, match=reason):
            read_tensors(path, target)
    assert not target["a"].any()


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}) + b"1234")
    with pytest.raises(UsageError, match="cannot be read"):
        read_tensors(path, {"a": torch.zeros(2)})


def test_links_and_missing_files_are_refused(tmp_path, trained):
    with pytest.raises(UsageError, match="cannot be read"):
        read_tensors(tmp_path / "none", {})
    save_file({"a": torch.ones(1)}, tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(UsageError, match="no ordinary file"):
        read_tensors(tmp_path / "link", {"a": torch.zeros(1)})
    weights = trained.checkpoints / "6" / "weights.safetensors"
    weights.rename(tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")
    assert newest_step(trained) == 5


def test_memory_layout_and_shared_memory_survive_a_round_trip(tmp_path):
    base = torch.randn(8, 4, 3, 3)
    tensors = {
        "plain": base,
        "tied": base,
        "last": torch.randn(8, 4, 3, 3).to(memory_format=torch.channels_last),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 2),
        "half": torch.randn(5).bfloat16(),
    }
    write_tensors(tmp_path / "a", tensors)
    into = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
    read_tensors(tmp_path / "a", into)
    for name, tensor in tensors.items():
        assert torch.equal(into[name], tensor)
        assert into[name].stride() == tensor.stride()


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"steps": -1}, "steps"), ({"extra": 1}, "extra"), ({"seconds": "x"}, "seconds"), ({"stage": 9}, "another model")],
)
def test_a_state_that_makes_no_sense_is_refused(trained, change, reason):
    path = trained.checkpoints / "6" / "state.json"
    tamper(trained, 6, "state.json", json.dumps(json.loads(path.read_text()) | change).encode())
    with pytest.raises(UsageError, match=reason):
        Trainer(build(Duel, PLANE), plane_examples(), trained).run()


def test_weights_of_another_model_do_not_continue(trained):
    with pytest.raises(UsageError, match=r"it belongs to other settings|do not have"):
        Trainer(build(Mean, PLANE), plane_examples(), trained).run()


def test_nothing_in_a_run_is_pickled(trained):
    for path in trained.path.rglob("*"):
        if path.is_file():
            assert path.suffix in (".json", ".jsonl", ".safetensors", ".png")
            assert not path.read_bytes().startswith((b"\x80", b"PK"))
