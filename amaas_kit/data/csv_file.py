"""A CSV file as a table of float32 features and one target; errors name the line and the column."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import TOO_LARGE, Array, Floats, to_float32, why_not_finite
from amaas_kit.data.table import Table, check_file, feature_names
from amaas_kit.errors import DataError

SEPARATORS = (",", ";", "\t", "|")

ROWS_AT_ONCE = 4096
"""How many rows are held as text at one time: text takes many times the memory of a float32."""

NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*", re.ASCII)
MISSING = {"", "na", "n/a", "nan", "null", "none", "nil", "?", "-"}

Row = tuple[int, list[str]]
"""The line that a row starts in, counted from 1, and its fields."""


def read_csv(
    path: str | os.PathLike[str],
    target: str,
    columns: Sequence[str] | None = None,
    separator: str | None = None,
    mixed_target: bool = False,
) -> Table:
    """Read a CSV file with a header, in UTF-8 with or without a byte order mark.

    Blank lines are passed over. Rows count from 1 after the header, lines from 1 at the top.

    Args:
        path: the file.
        target: the column to predict.
        columns: the columns to learn from; None for all but the target.
        separator: one character, or None for the one that divides the header into most names.
        mixed_target: take a target of numbers and text for text, instead of refusing it.

    Returns:
        The table: x (n, d) float32; the target as float64 if it is all numbers, else as text.

    Raises:
        DataError: the file is missing, cut short, not UTF-8 or has no header; a row is too short
            or too long; a column is missing or named twice; a value is missing or no finite
            number.
    """
    check_file(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(file, path, separator)
            _, header = next(rows, (0, []))
            _check_header(path, header)
            features = feature_names(path, header, target, columns)
            return _table(path, rows, header, features, target, mixed_target)
    except UnicodeDecodeError as error:
        raise DataError(
            situation=f"While reading {os.fspath(path)}, line {_line_that_is_not_utf8(path):,}",
            seen=f"the byte 0x{error.object[error.start]:02x}",
            wrong="the file is not UTF-8 text",
            fix='save it as "CSV UTF-8"; a spreadsheet or a packed file is no CSV file',
        ) from None
    except OSError as error:
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=str(error),
            wrong="the file cannot be read",
            fix="check who may read it, and whether the disk is there",
        ) from None


def _rows(file: TextIO, path: str | os.PathLike[str], separator: str | None) -> Iterator[Row]:
    """The rows that are not blank, the header first, all as long as the header."""
    reader = csv.reader(file, delimiter=_separator(file, path, separator), strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                situation=f"While reading {os.fspath(path)}, from line {line:,}",
                seen=str(error),
                wrong="a quote was opened and not closed, or stands in the middle of a field",
                fix="double a quote inside a quoted field; if nothing follows this row, the file "
                "may be cut short: fetch it again",
            ) from None
        if not fields:
            continue
        width = width or len(fields)
        if len(fields) != width:
            raise DataError(
                situation=f"While reading {os.fspath(path)}, line {line:,}",
                seen=f"fields: {len(fields)}, names in the header: {width}",
                wrong="each row has as many fields as the header",
                fix="complete the row, or quote a field that holds the separator; if it is the "
                "last row, the file may be cut short: fetch it again",
            )
        yield line, fields


def _separator(file: TextIO, path: str | os.PathLike[str], separator: str | None) -> str:
    if separator is None:
        first = next((line for line in file if line.strip()), "")
        file.seek(0)
        names = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in SEPARATORS}
        return max(SEPARATORS, key=lambda mark: names[mark])
    if len(separator) != 1 or separator in '"\r\n':
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=f"separator={separator!r}",
            wrong="fields are separated by one character, which is no quote and no line end",
            fix='pass for example separator=";", or leave it out',
        )
    return separator


def _check_header(path: str | os.PathLike[str], header: list[str]) -> None:
    if not header:
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen="no line that is not blank",
            wrong="there is nothing to learn from",
            fix="look at the step that wrote the file; it may be cut short",
        )
    if all(NUMBER.fullmatch(name) for name in header):
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=f"numbers in the first line: {', '.join(header[:5])}",
            wrong="the first line names the columns, and here it seems to be a row",
            fix="write a line of names at the top of the file",
        )


def _table(
    path: str | os.PathLike[str],
    rows: Iterator[Row],
    header: list[str],
    features: tuple[str, ...],
    target: str,
    mixed_target: bool,
) -> Table:
    places = [header.index(name) for name in features]
    target_place = header.index(target)
    pieces: list[Floats] = []
    lines: list[int] = []
    targets: list[str] = []
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        first_row = len(lines) + 1
        lines += [line for line, _ in chunk]
        targets += [fields[target_place] for _, fields in chunk]
        cells = [fields[place] for _, fields in chunk for place in places]
        x, bad = _numbers(cells)
        if bad is not None:
            row, column = divmod(bad, len(places))
            raise _bad_cell(path, first_row + row, chunk[row][0], features[column], cells[bad])
        pieces.append(x.reshape(-1, len(places)).astype(np.float32))
    if not pieces:
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=f"a header of {len(header)} names and no row",
            wrong="there is nothing to learn from",
            fix="look at the step that wrote the file; it may be cut short",
        )
    return Table(
        np.concatenate(pieces), _target(path, targets, lines, target, mixed_target), features
    )


def _target(
    path: str | os.PathLike[str],
    cells: list[str],
    lines: list[int],
    column: str,
    mixed: bool,
) -> Array:
    blank = next((i for i, cell in enumerate(cells) if not cell.strip()), None)
    if blank is not None:
        raise _bad_cell(path, blank + 1, lines[blank], column, cells[blank])
    numbers, bad = _numbers(cells)
    if bad is None:
        return numbers
    if mixed or not any(NUMBER.fullmatch(cell) for cell in cells):
        return np.array(cells)
    error = _bad_cell(path, bad + 1, lines[bad], column, cells[bad])
    raise DataError(
        situation=error.situation,
        seen=error.seen,
        wrong=f"{error.wrong}; other rows of the target are numbers",
        fix=f'{error.fix}; if the column names classes, pass task="classification"',
    )


def _numbers(cells: list[str]) -> tuple[npt.NDArray[np.float64], int | None]:
    """Cells as float64 (n,), and the place of the first that is no finite float32, if any."""
    text = "".join(cells)
    try:
        # float() also takes 1_000 and the digits of other scripts, which a CSV file does not mean.
        if "_" not in text and text.isascii():
            numbers = np.fromiter(map(float, cells), np.float64, len(cells))
            bad = to_float32(numbers)[1]
            return numbers, None if bad is None else bad[0]
    except ValueError:
        pass
    return np.empty(0), next(i for i, cell in enumerate(cells) if not _is_finite(cell))


def _is_finite(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell)) and to_float32(np.array([float(cell)]))[1] is None


def _bad_cell(
    path: str | os.PathLike[str], row: int, line: int, column: str, cell: str
) -> DataError:
    fix = "put the right number there, remove the row, or leave the column out with columns=[...]"
    if cell.strip().lower() in MISSING:
        wrong = "the value is missing, and a network cannot compute with that"
        fix = "remove the row, or put a value there that you can answer for"
    elif DECIMAL_COMMA.fullmatch(cell):
        wrong = "it is written with a decimal comma"
        fix = "write the file with decimal points: 1.5 instead of 1,5"
    elif NUMBER.fullmatch(cell):
        wrong = TOO_LARGE
    elif cell.strip().lower().lstrip("+-") in ("inf", "infinity"):
        wrong = why_not_finite(float(cell))
    else:
        wrong = "it is text, and a network computes with numbers"
        fix = (
            "put a number there; turn a column of words into numbers (one column a word, 0 or 1), "
            "or leave it out: pass columns=[...] with the others"
        )
    return DataError(
        situation=f"While reading {os.fspath(path)}, row {row:,} (line {line:,}), "
        f"column {column!r}",
        seen=f"{cell!r}" if cell else "nothing",
        wrong=wrong,
        fix=fix,
    )


def _line_that_is_not_utf8(path: str | os.PathLike[str]) -> int:
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0
