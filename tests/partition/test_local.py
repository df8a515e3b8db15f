"""Targets that no parts can be written to are refused before anything is read."""

from __future__ import annotations

import polars as pl
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, engine


@pytest.mark.parametrize("target", ["s3://bucket/parts", "file:///tmp/parts"])
def test_an_address_is_no_target(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"a": [1]}).write_parquet("t.parquet")
    with pytest.raises(DataError, match="an address"):
        engine("local").run(Plan.hash("a", 1), "t.parquet", target)
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_a_link_to_itself_is_no_target(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match="loop"):
        engine("local").run(Plan.hash("a", 1), tmp_path / "t.parquet", tmp_path / "loop")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop", "t.parquet"]
