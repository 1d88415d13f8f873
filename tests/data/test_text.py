"""Text is read by stated rules: what is passed over is counted, and what is read can be written again."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tvir.contracts.errors import TvirError, UsageError
from tvir.data.opening import open_dataset
from tvir.data.tokenising import Bytes, Characters, FewestPieces, Learned, TextForm

SENTENCES = [
    f"A {colour} {animal} sits by the {place}."
    for colour in ("red", "blue", "їжак")
    for animal in ("cat", "dog", "owl", "fox")
    for place in ("sea", "hill", "road", "wall", "tree", "lake")
]


@pytest.fixture(autouse=True)
def _cache(fresh_cache):
    pass


@pytest.fixture
def write(tmp_path):
    def make(content, name="words.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else "\n".join(content).encode())
        return str(path)

    return make


def texts(dataset):
    splits = (dataset.train, dataset.validation, dataset.test)
    return sorted(text for split in splits for text in dataset.spec.texts(split.rows))


def test_every_line_is_a_text_and_comes_back(write):
    dataset = open_dataset(write(SENTENCES))
    assert texts(dataset) == sorted(SENTENCES)
    assert dataset.options == {"tokens": "characters", "length": max(map(len, SENTENCES)) + 1}
    assert isinstance(dataset.train.rows, np.memmap)


@pytest.mark.parametrize("tokens", ["characters", "bytes", "bpe", "unigram"])
def test_tokens_of_every_kind_are_written_back(write, tokens):
    if tokens in ("bpe", "unigram"):
        pytest.importorskip("tokenizers")
    known = {"vocabulary": 300} if tokens in ("bpe", "unigram") else {}
    reference = write(SENTENCES)
    dataset = open_dataset(reference, tokens=tokens, length=100, **known)
    assert texts(dataset) == sorted(SENTENCES)
    again = open_dataset(reference, **{"strict": False, **dataset.options})
    assert again.fingerprint == dataset.fingerprint
    assert again.spec == dataset.spec


def test_bytes_and_learned_pieces_know_every_character(write):
    pytest.importorskip("tokenizers")
    for tokeniser in (Bytes(), Learned.learned("bpe", SENTENCES, 280), Learned.learned("unigram", SENTENCES, 280)):
        (row,), cut = TextForm(tokeniser=tokeniser, length=40).rows(["日本 😀\u2028 Ω"])
        assert b"".join(tokeniser.pieces[token] for token in row).decode() == "日本 😀\u2028 Ω"
        assert cut == 0


def test_rare_characters_give_way_to_one_that_says_so():
    tokeniser = Characters.learned(["aaabbc"], 4)
    assert tokeniser.pieces == (b"", "\N{REPLACEMENT CHARACTER}".encode(), b"a", b"b")
    assert [row.tolist() for row in tokeniser.encode(["abc"])] == [[2, 3, 1]]


def test_the_vocabulary_is_learned_from_the_training_split_alone(tmp_path, write):
    write(SENTENCES, "set/train.txt")
    write(["a Ω", "b"], "set/test.txt")
    dataset = open_dataset(str(tmp_path / "set"))
    assert len(dataset.test) == 2
    assert dataset.spec.texts(dataset.test.rows)[0] == "a \N{REPLACEMENT CHARACTER}"
    assert any(finding.startswith("1 of ") and "not in the vocabulary" in finding for finding in dataset.findings)


def test_only_a_line_feed_ends_a_line_and_marks_are_passed_over(write):
    lines = ["\ufeffone\u2028two", "three\x85four\r", "", "   ", "one", *SENTENCES]
    dataset = open_dataset(write(lines))
    assert {"one\u2028two", "three\x85four", "one"} <= set(texts(dataset))
    assert "empty lines are passed over: 2" in dataset.findings


def test_text_is_brought_to_nfc_and_never_to_nfkc(write):
    dataset = open_dataset(write(["и\u0306 ﬁ", *SENTENCES]))
    assert "й ﬁ" in texts(dataset)


def test_lines_that_cannot_be_read_are_named_with_the_byte_and_counted(write):
    good = "\n".join(SENTENCES).encode()
    reference = write(b"caf\xe9 noir\nnul\x00nul\n" + good)
    dataset = open_dataset(reference)
    (finding,) = [found for found in dataset.findings if "cannot be used" in found]
    assert finding.startswith("2 of 74 texts cannot be used")
    assert "words.txt line 1 (byte 3 (0xe9) is not UTF-8)" in finding
    assert "words.txt line 2 (byte 13 is NUL, which no text holds)" in finding
    with pytest.raises(TvirError, match="2 of 74 texts cannot be used"):
        open_dataset(reference, strict=True)


def test_a_line_without_end_is_not_taken_for_a_sentence(write, monkeypatch):
    monkeypatch.setattr("tvir.data.text_lines.LONGEST_LINE", 40)
    dataset = open_dataset(write(["x" * 100, *SENTENCES]))
    assert any("longer than the 40 bytes" in finding for finding in dataset.findings)
    assert texts(dataset) == sorted(SENTENCES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty, 0 bytes"),
        (b"\n\n  \n", "holds no text"),
        (b"\xe9\n\xe8\n", r"none of the 2 texts in .* can be decoded"),
        ("schön".encode("utf-16"), "is UTF-16; bring it to UTF-8 with: iconv"),
    ],
)
def test_where_nothing_is_left_there_is_one_clear_line(write, content, said):
    with pytest.raises(TvirError, match=said) as caught:
        open_dataset(write(content))
    assert "\n" not in str(caught.value)


def test_long_texts_are_cut_and_counted(write):
    dataset = open_dataset(write(SENTENCES), length=10)
    assert {len(text) for text in texts(dataset)} == {10}
    assert any(
        finding.startswith("72 of 72 texts are longer than an example and are cut") for finding in dataset.findings
    )


def test_one_long_line_is_answered_with_windows(write):
    dataset = open_dataset(write([" ".join(SENTENCES)]))
    assert any("--windows cuts running text into many" in finding for finding in dataset.findings)


def test_windows_are_the_text_itself_split_by_its_end(write):
    content = ("\n".join(SENTENCES) + "\n") * 3
    reference = write(content.replace("\n", "\r\n").encode())
    dataset = open_dataset(reference, windows=True, length=16)
    train, validation, test = (
        "".join(dataset.spec.texts(split.rows)) for split in (dataset.train, dataset.validation, dataset.test)
    )
    held = round(0.1 * len(content))
    assert content.startswith(train)
    assert content[len(content) - 2 * held :].startswith(validation)
    assert content[len(content) - held :].startswith(test)
    assert len(train) > len(content) - 2 * held - 16
    assert 0 not in dataset.train.rows
    assert "validation and test" in dataset.dealing[0]


@pytest.mark.parametrize(
    ("content", "byte"), [(b"ab\ncd\xe9 e", "byte 5 .0xe9. is not UTF-8"), (b"a\n\0", "byte 2 is NUL")]
)
def test_running_text_with_a_hole_is_an_error(write, content, byte):
    with pytest.raises(TvirError, match=byte):
        open_dataset(write(content), windows=True)


def test_tables_give_their_column_of_text_and_their_labels(write):
    rows = [{"id": str(n), "text": text, "label": "ab"[n % 2]} for n, text in enumerate(SENTENCES)]
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "text", "label"])
    writer.writeheader()
    writer.writerows(rows)
    of_csv = open_dataset(write(table.getvalue().encode(), "table.csv"))
    of_json = open_dataset(write([json.dumps(row) for row in rows], "table.jsonl"))
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    of_parquet = open_dataset(write(stream.getvalue(), "table.parquet"))
    for dataset in (of_csv, of_json, of_parquet):
        assert texts(dataset) == sorted(SENTENCES)
        assert dataset.spec.classes == ("a", "b")
        assert np.array_equal(dataset.train.labels, of_csv.train.labels)
    other = open_dataset(write(table.getvalue().encode(), "again.csv"), column="id")
    assert texts(other) == sorted(str(n) for n in range(len(rows)))


def test_bad_rows_are_counted_and_an_unknown_column_is_asked_for(write):
    good = [json.dumps({"text": text}) for text in SENTENCES]
    dataset = open_dataset(write(["{", "[1]", '{"text": 3}', '{"text": "\\ud800"}', *good], "rows.jsonl"))
    assert any(finding.startswith("4 of 76 texts cannot be used") for finding in dataset.findings)
    with pytest.raises(TvirError, match="name it with --column; its columns are: a, b"):
        open_dataset(write(b"a,b\n1,2\n", "two.csv"))
    with pytest.raises(TvirError, match="has no column 'c'"):
        open_dataset(write(b"a,b\n1,2\n", "two.csv"), column="c")
    with pytest.raises(TvirError, match="cannot be read as CSV"):
        open_dataset(write(b'text\n"open\n', "open.csv"))


def test_duplicates_within_and_across_splits_are_said(tmp_path, write):
    write([*SENTENCES, SENTENCES[0]], "set/train.txt")
    write([SENTENCES[1], SENTENCES[2].removesuffix("."), "new"], "set/test.txt")
    findings = open_dataset(str(tmp_path / "set")).findings
    assert "leakage: 1 of the 3 test texts are among the training texts too" in findings
    assert "2 of 76 texts repeat another one exactly" in findings
    assert "1 of 76 texts are equal to another one but for case, spaces and punctuation" in findings


def test_options_of_other_kinds_of_data_are_refused(write):
    reference = write(SENTENCES)
    for wrong, said in [
        ({"size": 8}, "holds text, not images"),
        ({"column": "a"}, "has no columns; leave --column out"),
        ({"length": 1}, "--length 1 is not possible"),
        ({"tokens": "words"}, "--tokens words is not possible"),
        ({"tokens": "bytes", "vocabulary": 9}, "has a vocabulary of its own"),
        ({"tokens": "bpe", "vocabulary": 9}, "choose from 258"),
    ]:
        with pytest.raises(UsageError, match=said):
            open_dataset(reference, **wrong)
    with pytest.raises(UsageError, match="holds no text: leave --windows out"):
        open_dataset("digits", windows=True)


def test_a_vocabulary_alone_cuts_text_as_the_tokeniser_that_made_it():
    texts = ["їжак і кіт", "aab", "", "naïve ⚑"]
    for tokeniser in (Characters("".join(texts)), Bytes()):
        again = FewestPieces(tokeniser.pieces)
        for wanted, found in zip(tokeniser.encode(texts), again.encode(texts), strict=True):
            assert wanted.tolist() == found.tolist()
    unknown = FewestPieces(Characters("ab").pieces).encode(["aξb"])[0]
    assert unknown.tolist() == Characters("ab").encode(["aξb"])[0].tolist()


def test_a_vocabulary_alone_cuts_text_into_as_few_pieces_as_can_be():
    pieces = (b"", b"a", b"b", b"ab", b"aab", b"b" * 3)
    tokens = FewestPieces(pieces).encode(["aabbbb"])[0]
    assert b"".join(pieces[token] for token in tokens) == b"aabbbb"
    assert len(tokens) == 2
    assert FewestPieces(pieces).encode(["xay"])[0].tolist() == [1]
