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
            closed, an empty line, a name that stands twice in the header or holds a quote, or
            no header.
    """
    names, separator = _header(path)
    rows = -1
    for lines, fields in _counts(path, separator):
        rows += len(fields)
        wrong = np.flatnonzero(fields != len(names))
        if len(wrong):
            raise _broken(path, int(lines[wrong[0]]), int(fields[wrong[0]]), len(names))
    return CsvShape(tuple(names), rows, separator)


def _counts(path: Path, separator: str) -> Iterator[tuple[Counts, Counts]]:
    records = _Records(separator)
    with path.open("rb") as file:
        while block := file.read(BYTES_AT_ONCE):
            yield records.feed(block)
    yield records.rest()


def _header(path: Path) -> tuple[list[str], str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(
                SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), []))
            )
            names = next(csv.reader(file, delimiter=separator), [])
    except UnicodeDecodeError as error:
        raise _no_csv(path, str(error), "a CSV file is read as UTF-8 text") from None
    except csv.Error as error:
        raise _no_csv(path, str(error), "the first line is no header") from None
    if not names:
        raise _no_csv(path, "no header", "the first line names the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _no_csv(path, f"twice in the header: {', '.join(twice)}", "a name means one column")
    quoted = [name for name in names if '"' in name]
    if quoted:
        raise _no_csv(path, f"the name {quoted[0]!r}", "a name in the header holds no quote")
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


class _Records:
    """Counts the fields of records, block by block of a file.

    After an odd number of quotes the text lies within a field, where line ends and separators
    mean nothing. A doubled quote leaves the field and enters it again.
    """

    def __init__(self, separator: str) -> None:
        self.mark = ord(separator)
        self.line = self.start = 1
        self.fields = 1
        self.inside = False
        self.empty = True

    def feed(self, block: bytes) -> tuple[Counts, Counts]:
        """The first line of each record that ends in the block, and how many fields it has."""
        text = np.frombuffer(block, np.uint8)
        within = (np.cumsum(text == ord('"'), dtype=np.uint8) + self.inside) & 1
        breaks = np.flatnonzero(text == ord("\n"))
        ends = breaks[within[breaks] == 0]
        marks = np.flatnonzero((text == self.mark) & (within == 0))
        before = np.searchsorted(marks, ends)
        counts = np.diff(before, prepend=0) + 1
        counts[:1] += self.fields - 1
        counts[self._blank(text, ends)] = 0
        starts = np.concatenate([[self.start], self.line + 1 + np.searchsorted(breaks, ends)])
        self.line += len(breaks)
        self.start = int(starts[-1])
        self.fields = len(marks) - int(before[-1]) + 1 if len(ends) else self.fields + len(marks)
        self.empty = bool(ends[-1] == len(text) - 1) if len(ends) else False
        self.inside = bool(within[-1])
        return starts[:-1], counts

    def rest(self) -> tuple[Counts, Counts]:
        """The record that the file's last line end does not close; -1 fields for an open quote."""
        if self.empty:
            return np.array([], np.int64), np.array([], np.int64)
        return np.array([self.start]), np.array([-1 if self.inside else self.fields])

    def _blank(self, text: npt.NDArray[np.uint8], ends: Counts) -> npt.NDArray[np.bool_]:
        starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        length = ends - starts
        blank = (length == 0) | ((length == 1) & (text[starts] == ord("\r")))
        blank[:1] &= self.empty
        return np.asarray(blank)
