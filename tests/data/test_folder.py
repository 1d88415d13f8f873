import os

import numpy as np
import pytest
from PIL import Image

from tvir.contracts.errors import TvirError, UsageError
from tvir.data.opening import open_dataset

pytestmark = pytest.mark.usefixtures("fresh_cache")


def splits(dataset):
    return dataset.train, dataset.validation, dataset.test


def total(dataset):
    return sum(map(len, splits(dataset)))


def test_a_flat_folder_has_no_classes(fill, tmp_path):
    dataset = open_dataset(str(fill(tmp_path / "photos", 10)))
    assert dataset.spec.classes == ()
    assert dataset.train.labels is None
    assert total(dataset) == 10
    assert dataset.options == {"size": "16x16", "channels": 3, "fit": "crop"}


def test_class_folders_give_labels_in_natural_order(fill, tmp_path):
    root = tmp_path / "photos"
    for place, name in enumerate(["class 10", "class 9", "class 1"]):
        fill(root / name / "deep" / "er", 5, first=10 * place)
    dataset = open_dataset(str(root))
    assert dataset.spec.classes == ("class 1", "class 9", "class 10")
    assert np.bincount(np.concatenate([split.labels for split in splits(dataset)])).tolist() == [5, 5, 5]


def test_labels_stay_with_their_images(tmp_path):
    for value, name in ((50, "dark"), (200, "light")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(6):
            Image.new("L", (8, 8), value + index).save(tmp_path / "photos" / name / f"{index}.png")
    dataset = open_dataset(str(tmp_path / "photos"))
    for split in splits(dataset):
        np.testing.assert_array_equal(split.labels, (split.rows[:, 0, 0, 0] >= 200).astype(int))


def test_split_folders_are_recognised_by_name(fill, tmp_path):
    root = tmp_path / "photos"
    for place, (name, count) in enumerate({"Train": 12, "val": 5, "testing": 4}.items()):
        fill(root / name / "cat", count, first=40 * place)
        fill(root / name / "dog", count, first=40 * place + 20)
    fill(root / "extra", 3, first=200)
    dataset = open_dataset(str(root))
    assert [len(split) for split in splits(dataset)] == [24, 10, 8]
    assert dataset.spec.classes == ("cat", "dog")
    assert "files outside the train, validation and test folders are passed over: 3" in dataset.findings


def test_wrapping_folders_mean_nothing(fill, tmp_path):
    for name, first in (("a", 0), ("b", 10)):
        fill(tmp_path / "download" / "dataset" / name, 4, first=first)
    assert open_dataset(str(tmp_path / "download")).spec.classes == ("a", "b")


def test_images_beside_class_folders_are_unlabelled(fill, tmp_path):
    root = fill(tmp_path / "photos", 4)
    fill(root / "a", 4, first=10)
    fill(root / "b", 4, first=20)
    dataset = open_dataset(str(root))
    assert dataset.spec.classes == ("a", "b")
    assert "4 of 12 examples are unlabelled" in dataset.findings


def test_bad_files_are_named_with_their_reason_counted_and_skipped(fill, tmp_path, encode, picture):
    root = fill(tmp_path / "photos", 10)
    (root / "notes.doc").write_text("no image")
    (root / "empty.png").touch()
    (root / "half.jpg").write_bytes(encode(picture(1, width=99, height=99), "JPEG")[:900])
    os.mkfifo(root / "pipe.png")
    (root / ".hidden").write_text("passed over without a word")
    dataset = open_dataset(str(root))
    assert total(dataset) == 10
    first = dataset.findings[0]
    assert first.startswith("4 of 14 files cannot be used: empty.png (empty, 0 bytes); half.jpg (truncated")
    lines = next((tmp_path / "cache").rglob("skipped.txt")).read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["empty.png", "half.jpg", "notes.doc", "pipe.png"]


def test_strict_makes_a_bad_file_an_error_now_and_from_the_cache(fill, tmp_path):
    root = fill(tmp_path / "photos", 5)
    assert open_dataset(str(root), strict=True).options["strict"]
    (root / "empty.png").touch()
    for _ in range(2):
        with pytest.raises(TvirError, match=r"empty\.png \(empty, 0 bytes\); without --strict"):
            open_dataset(str(root), strict=True)


def test_a_folder_without_a_usable_image_is_an_error(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(TvirError, match="is empty"):
        open_dataset(str(tmp_path / "photos"))
    (tmp_path / "photos" / "notes.doc").write_text("no image")
    with pytest.raises(TvirError, match=r"none of the 1 images in .* can be decoded: notes.doc \(no image that"):
        open_dataset(str(tmp_path / "photos"))


def test_a_training_split_without_a_usable_image_is_an_error(fill, tmp_path):
    fill(tmp_path / "photos" / "test", 4)
    (tmp_path / "photos" / "train").mkdir()
    (tmp_path / "photos" / "train" / "bad.png").write_text("no")
    with pytest.raises(TvirError, match="none of the training images"):
        open_dataset(str(tmp_path / "photos"))


def test_a_single_image_stands_in_for_all_splits(fill, tmp_path):
    dataset = open_dataset(str(fill(tmp_path / "photos", 1)))
    assert [len(split) for split in splits(dataset)] == [1, 1, 1]
    assert any("there is one image" in finding for finding in dataset.findings)
    assert any("stand in" in finding for finding in dataset.dealing)


def test_links_that_lead_in_a_circle_end(fill, tmp_path):
    root = fill(tmp_path / "photos", 5)
    (root / "again").symlink_to(root)
    assert total(open_dataset(str(root))) == 5


def test_names_from_strangers_cannot_write_to_the_terminal(fill, tmp_path):
    root = fill(tmp_path / "photos", 5)
    (root / "\x1b[31mred\n.png").touch()
    assert all(finding.isprintable() for finding in open_dataset(str(root)).findings)


def test_a_missing_path_says_what_is_expected_and_what_is_close(fill, tmp_path):
    fill(tmp_path / "photos", 1)
    with pytest.raises(UsageError, match=r"did you mean .*photos\?; expected .*a folder of images"):
        open_dataset(str(tmp_path / "photo"))
    with pytest.raises(UsageError, match="did you mean digits"):
        open_dataset("digit")
    (tmp_path / "notes.odt").touch()
    with pytest.raises(UsageError, match="is not data that can be read; expected"):
        open_dataset(str(tmp_path / "notes.odt"))


def test_images_of_mixed_sizes_and_kinds_are_brought_together_and_the_findings_say_how(picture, tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for index in range(4):
        picture(index, width=40, height=30).save(root / f"{index}.png")
    picture(5, width=50, height=50, mode="RGBA").save(root / "square.png")
    Image.new("RGBA", (50, 50)).save(root / "clear.png")
    dataset = open_dataset(str(root))
    assert dataset.options["size"] == "24x24"
    assert "4 of 6 images are not of the wanted proportions: cut to their centre (fit=crop)" in dataset.findings
    assert "1 of 6 images were transparent: composited over white" in dataset.findings
