"""Rows to ask a model about come out of JSON and CSV files as they stand there."""

from __future__ import annotations

import io
import sys

import pytest

from amaas_kit import rows
from amaas_kit.errors import DataError
from amaas_kit.serving import Contract

CONTRACT = Contract(2, "regression", columns=("width", "height"))


def file(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("text", ["[[1, 2], [3, 4.5]]", '{"x": [[1, 2], [3, 4.5]]}'])
def test_json_with_or_without_the_name_of_the_field(tmp_path, text):
    assert rows.read(file(tmp_path, "a.json", text), CONTRACT) == [[1, 2], [3, 4.5]]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("[[1, 2]]"))
    assert rows.read("-", CONTRACT) == [[1, 2]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4.5\n", [[1, 2], [3, 4.5]]),
        ("width,height\n1,2\n", [[1, 2]]),
        ("height,price,width\n2,99,1\n\n4,98,3\n", [[1, 2], [3, 4]]),
        ('"width","height"\r\n"1","2"\r\n', [[1, 2]]),
        ("\ufeffwidth,height\n1,2\n", [[1, 2]]),
    ],
)
def test_csv_by_the_names_of_the_contract_or_in_order(tmp_path, text, expected):
    assert rows.read(file(tmp_path, "a.csv", text), CONTRACT) == expected


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "[[1, 2]", "JSONDecodeError"),
        ("a.json", '{"y": [[1, 2]]}', "an object with 'y'"),
        ("a.json", "[" * 100_000, "RecursionError"),
        ("a.csv", "width,depth\n1,2\n", "the model also needs height"),
        ("a.csv", "width,height\n1,tall\n", "line 2: could not convert"),
        ("a.csv", "width,height\n1,2\n3\n", "line 3"),
        ("a.csv", "1,x\n1,2\n", "line 1: could not convert"),
        ("a.csv", '1,2\n"3\n4",5\n', "line 3: could not convert"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, text, says):
    with pytest.raises(DataError, match=says):
        rows.read(file(tmp_path, name, text), CONTRACT)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="FileNotFoundError"):
        rows.read(str(tmp_path / "none.json"), CONTRACT)
