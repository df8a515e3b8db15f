"""A table is looked at before it is cut: Parquet or CSV, whole or named as broken."""

from __future__ import annotations

import base64
import csv
import io
import os
import random
import re

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, csv_shape, engine, source
from amaas_kit.partition.source import Table, reading

ROWS = pl.DataFrame(
    {"id": [1, 2, 3], "text": ["", None, 'a "quoted",\nbroken line'], "x": [0.5, None, -0.0]}
)


def test_a_parquet_file(tmp_path):
    ROWS.write_parquet(tmp_path / "t.parquet")
    table = Table.open(tmp_path / "t.parquet")
    assert (table.format, table.rows, table.schema) == ("parquet", 3, ROWS.schema)
    assert table.bytes == (tmp_path / "t.parquet").stat().st_size
    assert_frame_equal(table.scan().collect(), ROWS)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_keeps_line_breaks_quotes_and_empty_against_null(tmp_path, separator):
    ROWS.write_csv(tmp_path / "t.csv", separator=separator)
    table = Table.open(tmp_path / "t.csv")
    assert (table.format, table.rows, table.separator) == ("csv", 3, separator)
    assert_frame_equal(table.scan().collect(), ROWS)


def test_a_column_of_csv_is_of_numbers_only_where_all_its_rows_are(tmp_path):
    rows = "\n".join(str(i) for i in range(20_000))
    (tmp_path / "t.csv").write_text(f"mixed\n{rows}\nlast\n")
    table = Table.open(tmp_path / "t.csv")
    assert table.schema == {"mixed": pl.String}
    assert table.scan().collect()["mixed"][-1] == "last"


def test_dates_and_times_of_csv_are_read_as_such(tmp_path):
    (tmp_path / "t.csv").write_text("day,at\n2026-01-31,2026-01-31T23:59:59\n")
    assert Table.open(tmp_path / "t.csv").schema == {"day": pl.Date, "at": pl.Datetime("us")}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_folder_is_one_table_in_the_order_of_its_names(tmp_path, kind):
    for name in ("b", "a", "sub/c"):
        file = tmp_path / f"{name}.{kind}"
        file.parent.mkdir(exist_ok=True)
        getattr(pl.DataFrame({"name": [name]}), f"write_{kind}")(file)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / f".hidden.{kind}").write_text("no table")
    (tmp_path / "notes.txt").write_text("no table")
    table = Table.open(tmp_path)
    assert table.rows == 3
    assert table.scan().collect()["name"].to_list() == ["a", "b", "sub/c"]


def test_a_name_with_the_signs_of_a_pattern(tmp_path):
    folder = tmp_path / "a[1]*?{x}"
    folder.mkdir()
    ROWS.write_parquet(folder / "t[0].parquet")
    ROWS.write_csv(tmp_path / "t[0].csv")
    assert_frame_equal(Table.open(folder).scan().collect(), ROWS)
    assert_frame_equal(Table.open(tmp_path / "t[0].csv").scan().collect(), ROWS)


def test_what_is_no_table_is_named(tmp_path):
    (tmp_path / "t.txt").write_text("text")
    for path in (tmp_path / "none.parquet", tmp_path / "t.txt", tmp_path):
        with pytest.raises(DataError) as caught:
            Table.open(path)
        assert str(path) in str(caught.value)


def test_files_that_are_not_one_table(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"a": ["x"]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet(.|\n)*a: String"):
        Table.open(tmp_path)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "b.parquet")
    (tmp_path / "c.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match="one format"):
        Table.open(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 100, -8, -1])
def test_a_truncated_parquet_file_is_named(tmp_path, kept):
    ROWS.write_parquet(tmp_path / "whole.parquet")
    ROWS.write_parquet(tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content[:kept])
    with pytest.raises(DataError, match=r"t\.parquet"):
        Table.open(tmp_path)


def test_damage_that_shows_only_while_reading_is_named(tmp_path):
    for name in ("a", "b"):
        pl.DataFrame({"x": list(range(50_000))}).write_parquet(tmp_path / f"{name}.parquet")
    damaged = bytearray((tmp_path / "b.parquet").read_bytes())
    damaged[4:400] = bytes(396)
    (tmp_path / "b.parquet").write_bytes(damaged)
    table = Table.open(tmp_path)
    with pytest.raises(DataError, match=r"b\.parquet"), reading(table.files):
        table.scan().collect()


def test_a_type_at_which_polars_panics_is_named(tmp_path):
    zone = pl.Datetime("us", "Europe/Berlin")
    pl.DataFrame({"at": [0]}, schema={"at": zone}).write_parquet(tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    (stored,) = re.findall(rb"ARROW:schema.*?([A-Za-z0-9+/]{100,}=*)", content, re.DOTALL)
    other = base64.b64decode(stored).replace(b"Europe/Berlin", b"Europe/Atlant")
    (tmp_path / "t.parquet").write_bytes(content.replace(stored, base64.b64encode(other)))
    with pytest.raises(DataError, match=r"t\.parquet(.|\n)*time zone"):
        Table.open(tmp_path)


@pytest.mark.parametrize("block", [1, 2, 3, 1 << 22])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"),
        ("\n1\n", "no header"),
        ("a,a\n1,2\n", "twice in the header: a"),
        ('"a""z",b\n1,2\n', "holds no quote"),
        ("a,b\n1,2\n3\n", "line 3"),
        ("a,b\n1,2,3\n", "line 2"),
        ('a,b\n1,"x\n\ny"\n1,2,3\n', "line 5"),
        ("a,b\n1,2\n\n3,4\n", "line 3"),
        ('a,b\n1,2\n3,"open\n4,5\n', "from line 3"),
        ("a,b\n1,2\n3", "line 3"),
        ("a,b\n1,2\n\n\n3,4\n", "an empty line"),
        ('a,k\n5" pipe,1\n6" pipe,2\n', "line 2\n"),
        ('a,k\n5" pipe,1\n6" pipe,2\n7" pipe,3\n', "line 2\n"),
        ('a,k\n1,2\n"5" pipe",1\n', "line 3\n"),
        ('a,k\n1,"open\n2,"x"\n', "line 3\n  seen:  a quote in the midst of a field, in the row "),
        ('a,k\n1,"x" \n', "line 2\n"),
        ('a,k\n1, "x"\n', "line 2\n"),
        ("sep=;\na;b\n1;2\n", "'sep=;'"),
        ('"sep=,"\na,b\n1,2\n', "Excel"),
    ],
)
def test_a_broken_csv_file_is_named_with_its_line(tmp_path, monkeypatch, text, words, block):
    monkeypatch.setattr(csv_shape, "BYTES_AT_ONCE", block)
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        Table.open(file)
    assert str(file) in str(caught.value)
    assert words in str(caught.value)


def test_a_csv_file_that_is_no_text(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(b"a,b\n1,\xff\xfe\n")
    with pytest.raises(DataError, match=r"t\.csv"):
        Table.open(file)


@pytest.mark.parametrize("block", [1, 2, 1 << 22])
@pytest.mark.parametrize("ends", ["\n\n", "\r\n\r\n", "\n\n\n\n", "\n\r\n"])
def test_empty_lines_at_the_end_are_no_rows(tmp_path, monkeypatch, ends, block):
    monkeypatch.setattr(csv_shape, "BYTES_AT_ONCE", block)
    (tmp_path / "a.csv").write_bytes(f"a,b\n1,x\n2,\n,{ends}".encode())
    (tmp_path / "b.csv").write_bytes(f"a,b{ends}".encode())
    (tmp_path / "c.csv").write_bytes(f"a,b\n3,y{ends}".encode())
    table = Table.open(tmp_path)
    assert table.rows == 4
    wanted = [(1, "x"), (2, None), (None, None), (3, "y")]
    assert table.scan().collect(engine="streaming").rows() == wanted


@pytest.mark.parametrize("block", [1, 2, 1 << 22])
def test_an_empty_line_of_one_column_is_a_row_without_a_value(tmp_path, monkeypatch, block):
    monkeypatch.setattr(csv_shape, "BYTES_AT_ONCE", block)
    rows = pl.DataFrame({"a": [None, 1, None, 2, None, None]})
    rows.write_csv(tmp_path / "t.csv")
    table = Table.open(tmp_path / "t.csv")
    assert table.rows == 6
    assert_frame_equal(table.scan().collect(), rows)


@pytest.mark.parametrize("block", [1, 2, 3, 1 << 22])
def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path, monkeypatch, block):
    monkeypatch.setattr(csv_shape, "BYTES_AT_ONCE", block)
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbf"a",b\n1,"x ""y"""\n')
    assert Table.open(tmp_path / "t.csv").scan().collect().rows(named=True) == [
        {"a": 1, "b": 'x "y"'}
    ]


def hive(folder, **columns):
    for year in (2024, 2025):
        (folder / f"year={year}").mkdir(parents=True)
        pl.DataFrame({"k": [year], **columns}).write_parquet(folder / f"year={year}/a.parquet")
    return folder


def test_a_folder_whose_name_tells_a_value_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"(?s)hive\n.*year=2024, and no column 'year'.*name one"):
        Table.open(hive(tmp_path / "hive"))
    assert Table.open(tmp_path / "hive" / "year=2024").rows == 1
    assert Table.open(tmp_path / "hive" / "year=2024" / "a.parquet").rows == 1
    (tmp_path / "csv" / "part=1").mkdir(parents=True)
    ROWS.write_csv(tmp_path / "csv" / "part=1" / "a.csv")
    with pytest.raises(DataError, match=r"part=1, and no column 'part'"):
        Table.open(tmp_path / "csv")


def test_a_folder_whose_name_repeats_a_column_is_read(tmp_path):
    table = Table.open(hive(tmp_path / "hive", year=[7]))
    assert table.scan().collect()["year"].to_list() == [7, 7]


def test_parts_that_the_kit_wrote_are_a_table(tmp_path):
    ROWS.write_parquet(tmp_path / "t.parquet")
    engine("local").run(Plan.hash("id", 2), tmp_path / "t.parquet", tmp_path / "parts")
    assert Table.open(tmp_path / "parts").rows == 3
    assert Table.open(tmp_path / "parts").schema == ROWS.schema


def test_a_name_that_is_not_utf_8_is_named(tmp_path):
    name = os.fsdecode(b"t\xff.csv")
    (tmp_path / "rows").mkdir()
    try:
        ROWS.write_csv(tmp_path / "rows" / "a.csv")
        (tmp_path / "rows" / "a.csv").rename(tmp_path / "rows" / name)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    for source_path in (tmp_path / "rows" / name, tmp_path / "rows", tmp_path / name):
        with pytest.raises(DataError, match=r"not UTF-8(.|\n)*rename") as caught:
            Table.open(source_path)
        str(caught.value).encode()


def drawn_csv(draw: random.Random) -> tuple[str, int, int | None]:
    """A file, how many rows it has, and the line that is broken, if one is."""
    width, rows = draw.randint(2, 4), draw.randint(0, 8)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=draw.choice(["\n", "\r\n"]))
    writer.writerow([f"c{i}" for i in range(width)])
    broken = None
    for _ in range(rows):
        row = ["".join(draw.choices('a,"\n\r x', k=draw.randint(0, 3))) for _ in range(width)]
        if broken is None and draw.random() < 0.05:
            broken = 1 + text.getvalue().count("\n")
            row = draw.choice([row[:-1], [*row, "z"]])
        writer.writerow(row)
    return text.getvalue(), rows, broken


@pytest.mark.parametrize("block", [1, 2, 3, 7, 4096])
def test_the_shape_is_that_which_the_csv_module_sees(tmp_path, monkeypatch, block):
    monkeypatch.setattr(csv_shape, "BYTES_AT_ONCE", block)
    file = tmp_path / "t.csv"
    for seed in range(300):
        text, rows, broken = drawn_csv(random.Random(seed))
        file.write_bytes(text.encode())
        if broken is None:
            assert csv_shape.csv_shape(file).rows == rows, repr(text)
        else:
            with pytest.raises(DataError, match=f"line {broken}\n"):
                csv_shape.csv_shape(file)


def test_a_file_that_may_not_be_opened_is_no_damage(tmp_path, monkeypatch):
    ROWS.write_csv(tmp_path / "t.csv")

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(source, "csv_shape", refused)
    with pytest.raises(DataError, match=r"t\.csv(.|\n)*Permission denied(.|\n)*who may read"):
        Table.open(tmp_path / "t.csv")


def test_a_file_that_is_gone_meanwhile_is_named(tmp_path):
    for name in ("a", "b"):
        ROWS.write_parquet(tmp_path / f"{name}.parquet")
    table = Table.open(tmp_path)
    (tmp_path / "b.parquet").unlink()
    with pytest.raises(DataError, match=r"b\.parquet(.|\n)*still there"), reading(table.files):
        table.scan().collect()


def test_of_files_with_another_separator_the_damaged_one_is_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("x;y\n1;2,5\n2;3\n")
    table = Table.open(tmp_path)
    (tmp_path / "b.csv").write_bytes(b"x;y\n1;\xff\xfe\n")
    with pytest.raises(DataError, match=r"b\.csv"), reading(table.files):
        table.scan().collect()


def test_an_address_is_no_file():
    with pytest.raises(DataError, match=r"s3://bucket/t\.parquet"):
        Table.open("s3://bucket/t.parquet")


def test_a_limit_of_the_system_is_no_damage(tmp_path):
    ROWS.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="limits"), reading([tmp_path / "t.parquet"]):
        raise pl.exceptions.ComputeError("underlying IO error: File too large (os error 27)")
