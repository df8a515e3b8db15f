"""What is no path and no plan is refused with what to pass, before anything is done."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polars as pl
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, Result, engine

NO_PATHS = {
    "None": None,
    "a number": 3,
    "bytes": b"parts",
    "a table": pl.DataFrame({"a": [1]}),
    "nothing": "",
    "NUL": "a\0b",
    "not UTF-8": os.fsdecode(b"caf\xe9"),
}


@pytest.fixture
def table(tmp_path, monkeypatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    pl.DataFrame({"a": [1, 2]}).write_parquet("t.parquet")
    return Path("t.parquet")


@pytest.mark.parametrize("on", ["local", "hadoop"])
@pytest.mark.parametrize("name", NO_PATHS)
def test_what_is_no_source(name, on, table):
    with pytest.raises(DataError, match="looking for a table") as caught:
        engine(on).run(Plan.hash("a", 1), NO_PATHS[name], "parts")
    assert "frame.write_parquet(" in caught.value.fix
    assert [*Path().iterdir()] == [table]


@pytest.mark.parametrize("name", NO_PATHS)
def test_what_is_no_target(name, table):
    with pytest.raises(DataError, match="While writing parts") as caught:
        engine("local").run(Plan.hash("a", 1), table, NO_PATHS[name])
    assert "the path of a folder" in caught.value.fix
    assert [*Path().iterdir()] == [table]


@pytest.mark.parametrize("name", NO_PATHS)
def test_what_is_no_folder_of_parts(name, table):
    with pytest.raises(DataError, match="While reading parts") as caught:
        Result.open(NO_PATHS[name])
    assert "the path of a folder" in caught.value.fix


@pytest.mark.parametrize(
    "plan", ["hash:k:2", None, pl.DataFrame({"a": [1]}), Plan.hash("a", 1).steps[0]]
)
def test_what_is_no_plan(plan, table):
    with pytest.raises(DataError, match="is a Plan") as caught:
        engine("local").run(plan, table, "parts")
    assert "Plan.hash(" in caught.value.fix
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_target_in_a_folder_whose_name_is_not_utf_8(table, tmp_path, monkeypatch):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match="not UTF-8"):
        engine("local").run(Plan.hash("a", 1), tmp_path / "here" / table, "parts")
    assert not any(folder.iterdir())
