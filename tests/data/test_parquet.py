import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tvir.contracts.errors import TvirError
from tvir.data.opening import open_dataset

pytestmark = pytest.mark.usefixtures("fresh_cache")


@pytest.fixture
def write(encode, picture):
    """Writes a Parquet file in the layout of ``datasets``; gives the images' bytes."""

    def make(path, count, *, first=0, labels=None, names=None, images=None):
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = [encode(picture(index)) for index in range(first, first + count)]
        rows = [{"bytes": content, "path": None} for content in contents] if images is None else images
        columns = {"image": pa.array(rows, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))}
        if labels is not None:
            columns["label"] = pa.array(labels)
        table = pa.table(columns)
        if names:
            features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
            table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        pq.write_table(table, path, row_group_size=7)
        return contents

    return make


def test_images_labels_and_class_names_come_through(write, picture, tmp_path):
    write(tmp_path / "train.parquet", 20, labels=[index % 2 for index in range(20)], names=["cat", "dog"])
    write(tmp_path / "test.parquet", 6, first=20, labels=[0, 1, 0, 1, 0, 1], names=["cat", "dog"])
    dataset = open_dataset(str(tmp_path))
    assert dataset.spec.classes == ("cat", "dog")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (18, 2, 6)
    np.testing.assert_array_equal(dataset.test.labels, [0, 1, 0, 1, 0, 1])
    for index, row in enumerate(dataset.test.rows):
        np.testing.assert_array_equal(row, np.asarray(picture(20 + index)))


def test_a_single_file_is_split_by_tvir(write, tmp_path):
    write(tmp_path / "train.parquet", 20)
    dataset = open_dataset(str(tmp_path / "train.parquet"))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (12, 4, 4)
    assert dataset.train.labels is None


def test_shards_in_folders_are_put_together(write, tmp_path):
    write(tmp_path / "data" / "train-00000-of-00002.parquet", 5)
    write(tmp_path / "data" / "train-00001-of-00002.parquet", 5, first=5)
    write(tmp_path / "data" / "validation-00000-of-00001.parquet", 3, first=10)
    write(tmp_path / "data" / "test" / "0000.parquet", 4, first=20)
    write(tmp_path / "data" / "unsupervised.parquet", 4, first=30)
    dataset = open_dataset(str(tmp_path))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (10, 3, 4)
    assert "Parquet files that name no split are passed over: 1" in dataset.findings


def test_undecodable_rows_are_named_and_skipped(write, encode, picture, tmp_path):
    rows = [{"bytes": encode(picture(index)), "path": None} for index in range(10)]
    rows[3] = {"bytes": b"no image", "path": "x.png"}
    rows[5] = {"bytes": None, "path": "/etc/passwd"}
    rows[8] = None
    labels = [0, 1, 1, 0, 1, 0, 1, 0, 1, 1]
    write(tmp_path / "some.parquet", 10, images=rows, labels=labels)
    dataset = open_dataset(str(tmp_path / "some.parquet"))
    first = dataset.findings[0]
    assert first.startswith("3 of 10 files cannot be used: some.parquet row 3 (no image that can be recognised")
    assert "row 5 (the row holds only a path); some.parquet row 8 (the row holds no image)" in first
    truth = {np.asarray(picture(index)).tobytes(): labels[index] for index in range(10)}
    for split in (dataset.train, dataset.validation, dataset.test):
        assert [truth[row.tobytes()] for row in split.rows] == list(split.labels)


def test_texts_and_odd_numbers_as_labels_become_classes(write, tmp_path):
    write(tmp_path / "a.parquet", 4, labels=["b10", "b9", None, "b9"])
    dataset = open_dataset(str(tmp_path / "a.parquet"))
    assert dataset.spec.classes == ("b9", "b10")
    assert "1 of 4 examples are unlabelled" in dataset.findings
    write(tmp_path / "b.parquet", 4, labels=[40, 7, 7, 40])
    assert open_dataset(str(tmp_path / "b.parquet")).spec.classes == ("7", "40")


def test_labels_outside_the_named_classes_are_unlabelled(write, tmp_path):
    write(tmp_path / "a.parquet", 4, labels=[0, 1, 7, 1], names=["cat", "dog"])
    assert "labels outside 0 ... 1 are taken as unlabelled: 1" in open_dataset(str(tmp_path / "a.parquet")).findings


def test_labels_that_are_no_classes_are_left_out(write, tmp_path):
    write(tmp_path / "a.parquet", 3, labels=[0.5, 1.5, 0.25])
    dataset = open_dataset(str(tmp_path / "a.parquet"))
    assert dataset.train.labels is None
    assert "the labels are not whole numbers: the data is taken as unlabelled" in dataset.findings


def test_a_table_beside_images_does_not_hide_them(fill, tmp_path):
    fill(tmp_path / "photos", 5)
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "photos" / "metadata.parquet")
    dataset = open_dataset(str(tmp_path / "photos"))
    assert dataset.findings[0].startswith("1 of 6 files cannot be used: metadata.parquet")


def test_what_is_not_parquet_or_holds_no_images_is_one_clear_line(write, tmp_path):
    (tmp_path / "text.parquet").write_text("not parquet at all")
    with pytest.raises(TvirError, match=r"text\.parquet cannot be read as Parquet") as caught:
        open_dataset(str(tmp_path / "text.parquet"))
    assert "\n" not in str(caught.value)
    pq.write_table(pa.table({"number": [1]}), tmp_path / "words.parquet")
    with pytest.raises(TvirError, match="no column of images as bytes; its columns are: number"):
        open_dataset(str(tmp_path / "words.parquet"))
    (tmp_path / "empty.parquet").touch()
    with pytest.raises(TvirError, match="is empty"):
        open_dataset(str(tmp_path / "empty.parquet"))
    (tmp_path / "pointer.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(TvirError, match="Git LFS pointer"):
        open_dataset(str(tmp_path / "pointer.parquet"))


def test_a_file_cut_short_is_one_clear_line(write, tmp_path):
    write(tmp_path / "a.parquet", 20)
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[:200] + bytes(400) + content[600:])
    with pytest.raises(TvirError) as caught:
        open_dataset(str(tmp_path / "a.parquet"), strict=True)
    assert "\n" not in str(caught.value)
