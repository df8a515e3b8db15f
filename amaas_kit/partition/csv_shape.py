"""Whether a CSV file is whole: each row as long as the header, each quote where it may stand.

Polars fills a short row with nulls, so that a line that lost its end would pass for data.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from amaas_kit.errors import DataError
from amaas_kit.partition.csv_records import Found, Records

SEPARATORS = (",", ";", "\t", "|")
BYTES_AT_ONCE = 1 << 22
ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvShape:
    """What the first line and the ends of the lines tell.

    Args:
        names: of the columns.
        rows: below the header.
        separator: the character between fields.
        cuts: bytes at which a row begins or the last one ends, some millions apart, in order.
        blank: whether empty lines follow the last row.
    """

    names: tuple[str, ...]
    rows: int
    separator: str
    cuts: tuple[int, ...]
    blank: bool


def csv_shape(path: Path) -> CsvShape:
    """Read a CSV file once, and count. Empty lines at its end are no rows.

    In a file of one column an empty line is a row without a value, as Polars writes it.

    Raises:
        DataError: with the line: a row with too few or too many fields, a quote in the midst of a
            field or not closed, an empty line before a row, a name that stands twice in the header
            or holds a quote, or no header.
    """
    names, separator = _header(path)
    rows, blank = -1, None
    cuts: list[int] = []
    for found in _counts(path, separator, len(names)):
        filled = int(np.flatnonzero(found.fields)[-1]) + 1 if found.fields.any() else 0
        if filled and blank is not None:
            raise _broken(path, blank, 0, len(names))
        _check(path, found, filled, len(names))
        if filled:
            rows += filled
            cuts += [int(end) for end in found.ends[[filled - 1] if cuts else [0, filled - 1]]]
        if filled < len(found.fields) and blank is None:
            blank = int(found.lines[filled])
    return CsvShape(tuple(names), rows, separator, tuple(cuts), blank is not None)


def csv_blocks(path: Path, shape: CsvShape) -> Iterator[bytes]:
    """The rows of a file as it stands there, some millions of bytes at a time, each row whole."""
    with path.open("rb") as file:
        for start, end in pairwise(shape.cuts):
            if end > start:
                file.seek(start)
                yield file.read(end - start)


def _counts(path: Path, separator: str, width: int) -> Iterator[Found]:
    with path.open("rb") as file:
        marked = file.read(len(ORDER_MARK)) == ORDER_MARK
        file.seek(len(ORDER_MARK) if marked else 0)
        records = Records(separator, file.tell(), empty=1 if width == 1 else 0)
        while block := file.read(BYTES_AT_ONCE):
            yield records.feed(block + file.read(1) if block.endswith(b"\r") else block)
    yield records.rest()


def _check(path: Path, found: Found, filled: int, width: int) -> None:
    """Look for the first line that is wrong among the filled ones."""
    wrong = np.flatnonzero(found.fields[:filled] != width)
    line = int(found.lines[wrong[0]]) if len(wrong) else None
    if found.stray and (line is None or found.stray[0] <= line):
        raise _stray(path, *found.stray)
    if line is not None:
        raise _broken(path, line, int(found.fields[wrong[0]]), width)


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
    if re.fullmatch(r'"?sep=.?"?\s*', first, re.IGNORECASE):
        wrong = "the first line names the columns; this one is a note for Excel"
        raise _no_csv(path, f"the first line {first.strip()!r}", wrong, "remove the first line")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _no_csv(path, f"twice in the header: {', '.join(twice)}", "a name means one column")
    quoted = [name for name in names if '"' in name]
    if quoted:
        raise _no_csv(path, f"the name {quoted[0]!r}", "a name in the header holds no quote")
    return names, separator


def _no_csv(
    path: Path, seen: str, wrong: str, fix: str = "look at the step that wrote the file"
) -> DataError:
    return DataError(f"While reading {path}", seen, wrong, fix)


def _stray(path: Path, line: int, start: int) -> DataError:
    row = f", in the row that begins in line {start:,}" if start != line else ""
    return DataError(
        situation=f"While reading {path}, line {line:,}",
        seen=f"a quote in the midst of a field{row}",
        wrong="a quote stands at both ends of a field; one within the field is written twice",
        fix='write the field as "5"" pipe", with a quote at each end; if the quote belongs to the '
        "end of a field, look whether a line before it lost a quote",
    )


def _broken(path: Path, line: int, fields: int, width: int) -> DataError:
    if fields < 0:
        return DataError(
            situation=f"While reading {path}, from line {line:,}",
            seen="a quote that is not closed until the end of the file",
            wrong="the file may be cut short, or a quote within a field is not doubled",
            fix="fetch or write the file again",
        )
    if fields == 0:
        return DataError(
            situation=f"While reading {path}, line {line:,}",
            seen="an empty line, and rows after it",
            wrong="empty lines may stand at the end only",
            fix="remove the line, or look at the step that wrote it",
        )
    return DataError(
        situation=f"While reading {path}, line {line:,}",
        seen=f"fields: {fields}, names in the header: {width}",
        wrong="each row has as many fields as the header",
        fix="complete the row, or quote a field that holds the separator; if it is the last row, "
        "the file may be cut short: fetch it again",
    )
