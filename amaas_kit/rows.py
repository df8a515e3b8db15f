"""Rows to ask a served model about, from a file that a person has."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amaas_kit.errors import DataError

if TYPE_CHECKING:
    from amaas_kit.serving import Contract

FORMS = 'write JSON, [[...], ...] or {"x": [[...], ...]}, or name a .csv file'


def read(file: str, contract: Contract) -> Any:
    """The rows of a file as they stand there; the service judges them.

    Args:
        file: JSON, as `[[...], ...]` or `{"x": [[...], ...]}`; or CSV, by its ending; or "-" for
            JSON from standard input.
        contract: tells which columns of a CSV file with a header the model wants.

    Raises:
        DataError: the file cannot be read, or holds no rows.
    """
    situation = f"While reading {'standard input' if file == '-' else file}"
    try:
        if file.endswith(".csv"):
            return _from_csv(Path(file), contract, situation)
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        body = json.loads(text)
    except DataError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            situation,
            seen=f"{type(error).__name__}: {error}",
            wrong="there are no rows to ask about",
            fix=FORMS,
        ) from None
    if isinstance(body, dict) and "x" not in body:
        raise DataError(
            situation,
            seen=f"an object with {', '.join(map(repr, body)) or 'no fields'}",
            wrong="the field 'x', which holds the rows, is missing",
            fix=FORMS,
        )
    return body["x"] if isinstance(body, dict) else body


def _from_csv(path: Path, contract: Contract, situation: str) -> list[list[float]]:
    """The columns that the contract names, where there is a header; else all, in their order."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        lines = [(reader.line_num, line) for line in reader if line]
    header: list[str] | None = None
    if lines and _is_header(lines[0][1], contract):
        header = lines.pop(0)[1]
    places = _places(header, contract, situation)
    return [_numbers(line, number, places, situation) for number, line in lines]


def _places(header: list[str] | None, contract: Contract, situation: str) -> list[int] | None:
    """Where in a line the columns of the contract stand; None for all of the line."""
    if header is None or contract.columns is None:
        return None
    missing = [name for name in contract.columns if name not in header]
    if missing:
        raise DataError(
            situation,
            seen=f"the columns {', '.join(header)}",
            wrong=f"the model also needs {', '.join(missing)}",
            fix="call the columns as in the file that the model learnt from",
        )
    return [header.index(name) for name in contract.columns]


def _numbers(line: list[str], number: int, places: list[int] | None, situation: str) -> list[float]:
    try:
        return [float(field) for field in ([line[place] for place in places] if places else line)]
    except (ValueError, IndexError) as error:
        raise DataError(
            situation,
            seen=f"line {number}: {error}",
            wrong="each line holds one number for each column",
            fix="correct that line",
        ) from None


def _is_header(line: list[str], contract: Contract) -> bool:
    """Whether a first line names columns: those of the contract, or nothing that is a number."""
    named = contract.columns is not None and set(contract.columns) <= set(line)
    return named or not any(map(_is_number, line))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
