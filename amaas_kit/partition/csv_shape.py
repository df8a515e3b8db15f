"""Whether a CSV file is whole: each row as long as the header, each quote closed.

Polars fills a short row with nulls, so that a line that lost its end would pass for data.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
BYTES_AT_ONCE = 1 << 22

Bytes: TypeAlias = npt.NDArray[np.uint8]
Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CsvShape:
    """What the first line and the ends of the lines tell.

    Args:
        names: of the columns.
        rows: below the header.
        separator: the character between fields.
    """

    names: tuple[str, ...]
    rows: int
    separator: str


def csv_shape(path: Path) -> CsvShape:
    """Read a CSV file once, and count.

    Raises:
        DataError: with the line: a row with too few or too many fields, a quote that is not
            closed, an empty line, a name that stands twice in the header, or no header.
    """
    names, separator = _header(path)
    rows = -1
    for first_line, fields in _records(path, separator):
        rows += len(fields)
        wrong = np.flatnonzero(fields != len(names))
        if len(wrong):
            raise _broken(path, first_line[wrong[0]], int(fields[wrong[0]]), len(names))
    return CsvShape(tuple(names), rows, separator)


def _header(path: Path) -> tuple[list[str], str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(
                SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), []))
            )
            names = next(csv.reader(file, delimiter=separator), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_csv(path, str(error), "the first line is no header of UTF-8 text") from None
    if not names:
        raise _no_csv(path, "no header", "the first line names the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _no_csv(path, f"twice in the header: {', '.join(twice)}", "a name means one column")
    return names, separator


def _no_csv(path: Path, seen: str, wrong: str) -> DataError:
    return DataError(
        situation=f"While reading {path}",
        seen=seen,
        wrong=wrong,
        fix="look at the step that wrote the file",
    )


def _broken(path: Path, line: int, fields: int, width: int) -> DataError:
    if fields < 0:
        return DataError(
            situation=f"While reading {path}, from line {line:,}",
            seen="a quote that is not closed until the end of the file",
            wrong="the file may be cut short, or a quote within a field is not doubled",
            fix="fetch or write the file again",
        )
    return DataError(
        situation=f"While reading {path}, line {line:,}",
        seen=f"fields: {fields}, names in the header: {width}",
        wrong="each row has as many fields as the header",
        fix="complete the row, or quote a field that holds the separator; if it is the last row, "
        "the file may be cut short: fetch it again",
    )


def _records(path: Path, separator: str) -> Iterator[tuple[Counts, Counts]]:
    """The first line of each record and how many fields it has; -1 for one that never ends."""
    mark = ord(separator)
    line, fields, inside, pending = 1, 1, 0, False
    start = line
    with path.open("rb") as file:
        while block := file.read(BYTES_AT_ONCE):
            text = np.frombuffer(block, np.uint8)
            within = (np.cumsum(text == ord('"'), dtype=np.uint8) + inside) & 1
            breaks = np.flatnonzero(text == ord("\n"))
            ends = breaks[within[breaks] == 0]
            marks = np.flatnonzero((text == mark) & (within == 0))
            before = np.searchsorted(marks, ends)
            counts = np.diff(before, prepend=0) + 1
            lines = line + 1 + np.searchsorted(breaks, ends)
            if len(ends):
                counts[0] += fields - 1
                yield (
                    np.concatenate([[start], lines[:-1]]),
                    _without_blanks(text, ends, counts, pending),
                )
                start, fields = int(lines[-1]), 1
                marks = marks[before[-1] :]
            pending = len(block) > (ends[-1] + 1 if len(ends) else 0) or (pending and not len(ends))
            fields += len(marks)
            line += len(breaks)
            inside = int(within[-1])
    if inside:
        yield np.array([start]), np.array([-1])
    elif pending:
        yield np.array([start]), np.array([fields])


def _without_blanks(text: Bytes, ends: Counts, counts: Counts, pending: bool) -> Counts:
    """The counts, with 0 for an empty line."""
    starts = np.concatenate([[0], ends[:-1] + 1])
    length = ends - starts
    first = text[np.minimum(starts, len(text) - 1)]
    blank = (length == 0) | ((length == 1) & (first == ord("\r")))
    if pending:
        blank[0] = False
    return np.where(blank, 0, counts)
