"""The one place that says what a request to a served model must be, and how an answer looks."""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, NoReturn, Protocol, cast

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import RequestError, ServingError

Rows = npt.NDArray[np.float32]
"""What a model receives: shape (rows, features), finite."""

Task = Literal["classification", "regression"]

FORMAT = 1
"""The version of what `to_dict` writes."""

BYTES_PER_NUMBER = 32
"""Room for one number in JSON: a float of 17 digits with sign, exponent, comma and space has 26."""

LARGEST_BODY_BYTES = 64 * 2**20
"""No request is longer than this, however many rows a contract allows."""

_NUMBERS = {int, float}


class Facts(Protocol):
    """What `Contract.from_data` needs to know: a `Dataset`, or the facts that a `History` keeps."""

    @property
    def features(self) -> int:
        """The numbers in one row."""
        ...

    @property
    def task(self) -> str:
        """What is learnt: classification or regression."""
        ...

    @property
    def columns(self) -> tuple[str, ...] | None:
        """One name for each feature."""
        ...

    @property
    def labels(self) -> tuple[str | int, ...] | None:
        """One name for each class."""
        ...

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The range of x by definition."""
        ...


class _NotFinite(float):
    """NaN, Infinity or -Infinity written out in JSON, which has no such numbers."""


@dataclass(frozen=True)
class Contract:
    """What a request must be: its field, shape, type and range, and the names in the answer.

    Args:
        features: the numbers in one row.
        task: "classification" (labels and probabilities) or "regression" (values).
        input: the name of the only field of a request.
        dtype: what the model computes in; "float32".
        minimum: the least value that any number may have; None for no limit.
        maximum: the greatest value that any number may have; None for no limit.
        columns: one name for each feature, used in the error messages.
        labels: one name for each class, used in the answers; None answers the class numbers.
        max_rows: the most rows in one request.

    Raises:
        ServingError: the parts do not fit together.

    Taught in: notebooks/11_package_and_serve, "A contract for every request".
    """

    features: int
    task: Task
    input: str = "x"
    dtype: str = "float32"
    minimum: float | None = None
    maximum: float | None = None
    columns: tuple[str, ...] | None = None
    labels: tuple[str | int, ...] | None = None
    max_rows: int = 1024

    def __post_init__(self) -> None:
        fault = next(self._faults(), None)
        if fault is not None:
            seen, wrong, fix = fault
            raise ServingError("While writing the contract of a model", seen, wrong, fix)

    @property
    def body_limit(self) -> int:
        """The most bytes that a request may have: `max_rows` full rows of numbers, with room."""
        numbers = self.max_rows * self.features
        return min(numbers * BYTES_PER_NUMBER + 64 * 2**10, LARGEST_BODY_BYTES)

    def decode(self, body: bytes) -> Rows:
        """The rows in the body of a request.

        Args:
            body: JSON in UTF-8, `{"x": [[…], …]}`, one list of `features` numbers for each row.

        Returns:
            Shape (rows, features), float32.

        Raises:
            RequestError: the body breaks the contract; it names the row and the column.
        """
        rows = self._rows(_parse(body))
        try:
            values = np.asarray(rows, dtype=np.float64)
        except OverflowError:
            self._refuse_huge(rows)
        return self.check(values)

    def check(self, rows: object) -> Rows:
        """The same rows as float32, when they keep the contract. Nothing is reshaped or guessed.

        Args:
            rows: an array of shape (rows, features) of real numbers.

        Returns:
            Shape (rows, features), float32.

        Raises:
            RequestError: the type, the shape or a value breaks the contract.
        """
        if not isinstance(rows, np.ndarray) or rows.dtype.kind not in "fiu":
            kind = rows.dtype if isinstance(rows, np.ndarray) else type(rows).__name__
            _refuse(f"rows of type {kind}", "the model takes an array of real numbers only")
        self._check_shape(rows.shape)
        with np.errstate(over="ignore"):
            values = rows.astype(np.float32)
        self._check_values(rows, values)
        return values

    def answer(self, outputs: npt.NDArray[Any], model: str, version: str) -> dict[str, Any]:
        """The body of the answer to a request.

        Args:
            outputs: what the model gave: probabilities (rows, classes) or values (rows, k).
            model: the name of the model.
            version: its version, an integer as text.

        Returns:
            `{"labels", "probabilities", "model", "version"}`, or `{"values", "model", "version"}`
            with one number for each row when k is 1.

        Raises:
            RequestError: the model has no finite answer to one of the rows.
        """
        finite = np.isfinite(outputs).all(axis=1)
        if not finite.all():
            _refuse(
                f"row {int(np.argmin(finite))} (counted from 0)",
                "the model has no finite answer to it",
                "send values nearer to those that the model was trained on",
            )
        origin = {"model": model, "version": version}
        if self.task == "regression":
            values = outputs[:, 0] if outputs.shape[1] == 1 else outputs
            return {"values": values.tolist(), **origin}
        classes = outputs.argmax(axis=1).tolist()
        labels = [self.labels[c] for c in classes] if self.labels is not None else classes
        return {"labels": labels, "probabilities": outputs.tolist(), **origin}

    def to_dict(self) -> dict[str, Any]:
        """The contract as plain JSON types."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Contract:
        """The contract that `to_dict` wrote.

        Raises:
            ServingError: it was written by a newer version, or a part is missing.
        """
        parts = dict(written)
        known = {field.name for field in fields(cls)}
        version = parts.pop("format", None)
        if version != FORMAT or not {"features", "task"} <= set(parts) <= known:
            raise ServingError(
                situation="While reading the contract of a model",
                seen=f"format {version!r} with the parts {sorted(parts)}",
                wrong=f"this version of the kit reads format {FORMAT} with {sorted(known)}",
                fix="package the model again with this version of the kit, or update the kit",
            )
        for name in ("columns", "labels"):
            if parts.get(name) is not None:
                parts[name] = tuple(parts[name])
        return cls(**parts)

    @classmethod
    def from_data(cls, data: Facts) -> Contract:
        """The contract that fits a data set.

        The range is the one that the values have by definition (`bounds`); a range that was only
        observed does not bind the next request.

        Args:
            data: a `Dataset`, or the facts about one that a `History` keeps.
        """
        minimum, maximum = data.bounds if data.bounds is not None else (None, None)
        return cls(
            features=data.features,
            task=cast("Task", data.task),
            minimum=minimum,
            maximum=maximum,
            columns=data.columns,
            labels=plain_labels(data.labels),
        )

    def _faults(self) -> Iterator[tuple[str, str, str]]:
        """What does not fit together, each as seen, wrong, fix."""
        low, high = self.minimum, self.maximum
        labels = self.labels or ()
        if type(self.features) is not int or self.features < 1:
            yield f"features={self.features!r}", "a row has at least one number", "count a row"
        if self.task not in ("classification", "regression"):
            say = 'say "classification" or "regression"'
            yield f"task={self.task!r}", "a model is served for one of two tasks", say
        if self.dtype != "float32":
            yield f"dtype={self.dtype!r}", "models are served in float32", 'say "float32"'
        if type(self.max_rows) is not int or self.max_rows < 1:
            yield f"max_rows={self.max_rows!r}", "a request has at least one row", "say 1 or more"
        if not all(limit is None or math.isfinite(limit) for limit in (low, high)):
            yield f"{low} to {high}", "a limit is a finite number", "say None for no limit"
        if low is not None and high is not None and low > high:
            yield f"minimum={low}, maximum={high}", "nothing lies between", "exchange them"
        if self.columns is not None and len(self.columns) != self.features:
            seen = f"{len(self.columns)} columns for {self.features} features"
            yield seen, "each feature has one name", "name each feature, or say columns=None"
        if not {type(label) for label in labels} <= {str, int}:
            yield f"labels={labels}", "a label is a text or a whole number", "convert the labels"
        if len(set(labels)) != len(labels):
            yield f"labels={labels}", "two classes share a label", "name each class once"
        if labels and self.task == "regression":
            yield f"labels={labels}", "a regression has no classes", "leave the labels out"

    def _rows(self, request: object) -> list[list[Any]]:
        """The list of lists of numbers in a parsed request."""
        if type(request) is not dict:
            _refuse(_kind(request), "a request is a JSON object", self._example())
        if set(request) != {self.input}:
            self._refuse_fields(request)
        rows = request[self.input]
        if type(rows) is not list:
            _refuse(
                f'"{self.input}" is {_kind(rows)}', "it must be a list of rows", self._example()
            )
        if not rows:
            _refuse(
                f'"{self.input}" is an empty list', "there is nothing to predict", self._example()
            )
        if set(map(type, rows)) != {list}:
            self._refuse_row_types(rows)
        if set(map(len, rows)) != {self.features}:
            self._refuse_lengths(rows)
        if not set(map(type, itertools.chain.from_iterable(rows))) <= _NUMBERS:
            self._refuse_types(rows)
        return cast("list[list[Any]]", rows)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            _refuse(
                f"an array of {len(shape)} dimensions, shape {shape}",
                "the model takes exactly two: rows and columns",
                "one row is x.reshape(1, -1), many are x.reshape(len(x), -1)",
            )
        rows, columns = shape
        if rows == 0:
            _refuse("an array without rows", "there is nothing to predict", "send one row or more")
        if columns != self.features:
            _refuse(
                f"rows of {columns} columns",
                f"the model takes {self.features}",
                f"send exactly {self.features} numbers a row",
            )
        if rows > self.max_rows:
            _refuse(
                f"{rows:,} rows",
                f"one request has at most {self.max_rows:,}",
                f"send the rows in parts of {self.max_rows:,}",
            )

    def _check_values(self, sent: npt.NDArray[Any], values: Rows) -> None:
        """Refuse what is not finite in float32, and what is out of range there."""
        finite = np.isfinite(values)
        if not finite.all():
            row, column = _first(~finite)
            value = sent[row, column]
            if np.isfinite(value):
                self._refuse_cell(row, column, f"is {value}", "it does not fit into float32")
            name = "NaN" if np.isnan(value) else "infinite or beyond the largest float"
            self._refuse_cell(row, column, f"is {name}", "the model takes finite numbers only")
        for limit, beyond, word in (
            (self.minimum, np.less, "least"),
            (self.maximum, np.greater, "greatest"),
        ):
            if limit is not None and (outside := beyond(values, np.float32(limit))).any():
                row, column = _first(outside)
                self._refuse_cell(
                    row,
                    column,
                    f"is {sent[row, column]}",
                    f"the {word} value that the model takes is {limit}",
                    "scale the values as those that the model was trained on",
                )

    def _refuse_fields(self, request: dict[str, Any]) -> NoReturn:
        unknown = sorted(set(request) - {self.input})
        if unknown:
            named = ", ".join(_quoted(name) for name in unknown[:3])
            _refuse(f"the field {named}", f'the only field is "{self.input}"', self._example())
        _refuse("an object without fields", f'the field "{self.input}" is missing', self._example())

    def _refuse_row_types(self, rows: list[Any]) -> NoReturn:
        if set(map(type, rows)) <= _NUMBERS:
            _refuse(
                f"one flat list of {len(rows):,} numbers",
                "the model takes a list of rows, each a list of numbers",
                f'put the row into a list of its own: {{"{self.input}": [[…]]}}',
            )
        row = next(i for i, cells in enumerate(rows) if type(cells) is not list)
        _refuse(f"row {row} (counted from 0) is {_kind(rows[row])}", "a row is a list of numbers")

    def _refuse_lengths(self, rows: list[list[Any]]) -> NoReturn:
        row = next(i for i, cells in enumerate(rows) if len(cells) != self.features)
        for column, cell in enumerate(rows[row]):
            if type(cell) is list:
                self._refuse_depth(row, column)
        _refuse(
            f"row {row} (counted from 0) has {len(rows[row])} columns",
            f"every row has {self.features}",
            f"send exactly {self.features} numbers a row",
        )

    def _refuse_types(self, rows: list[list[Any]]) -> NoReturn:
        row, column = next(
            (i, j)
            for i, cells in enumerate(rows)
            for j, cell in enumerate(cells)
            if type(cell) not in _NUMBERS
        )
        cell = rows[row][column]
        if type(cell) is list:
            self._refuse_depth(row, column)
        if type(cell) is str and _is_numeric(cell):
            self._refuse_cell(
                row,
                column,
                f"is the text {_quoted(cell)}",
                "the model takes numbers, not text",
                "send the number without quotes",
            )
        self._refuse_cell(row, column, f"is {_kind(cell)}", "the model takes finite numbers only")

    def _refuse_depth(self, row: int, column: int) -> NoReturn:
        self._refuse_cell(
            row,
            column,
            "is a list",
            "the model takes exactly two dimensions, rows and columns",
            "flatten each row into one list of numbers",
        )

    def _refuse_huge(self, rows: list[list[Any]]) -> NoReturn:
        row, column = next(
            (i, j)
            for i, cells in enumerate(rows)
            for j, cell in enumerate(cells)
            if type(cell) is int and abs(cell) > sys.float_info.max
        )
        digits = f"is a whole number of {len(str(abs(rows[row][column])))} digits"
        self._refuse_cell(row, column, digits, "it does not fit into float32")

    def _refuse_cell(
        self, row: int, column: int, seen: str, wrong: str, fix: str | None = None
    ) -> NoReturn:
        name = f' "{self.columns[column]}"' if self.columns is not None else ""
        _refuse(
            f"row {row}, column {column}{name} (counted from 0) {seen}",
            wrong,
            fix or "send a finite number there, or leave the row out",
        )

    def _example(self) -> str:
        return f'send {{"{self.input}": [[{self.features} numbers], …]}}'


def refusal(error: RequestError) -> dict[str, str]:
    """The body of the answer to a request that breaks the contract."""
    return {"error": f"{error.seen}: {error.wrong}", "fix": error.fix}


def plain_labels(labels: Iterable[Any] | None) -> tuple[str | int, ...] | None:
    """Labels as Python's own text and whole numbers, for JSON knows no NumPy scalars."""
    if labels is None:
        return None
    return tuple(label.item() if isinstance(label, np.generic) else label for label in labels)


def _parse(body: bytes) -> object:
    """The JSON value in a body; duplicate fields are refused, for two readers might differ."""
    if not body.strip():
        _refuse("an empty body", "there is nothing to predict", "send a JSON object")
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_unique_fields, parse_constant=_NotFinite
        )
    except UnicodeDecodeError as error:
        _refuse(
            f"byte {body[error.start]:#04x} at position {error.start}",
            "the body is not UTF-8",
            "encode the JSON text as UTF-8",
        )
    except json.JSONDecodeError as error:
        _refuse(
            f"a body that is not JSON from line {error.lineno}, column {error.colno} on",
            _lower_first(error.msg),
            "write the body with a JSON library",
        )
    except RecursionError:
        _refuse(
            "lists nested too deep to be read",
            "the model takes exactly two dimensions, rows and columns",
            "send one list of numbers for each row",
        )
    except RequestError:
        raise
    except ValueError:
        _refuse(
            "a whole number of thousands of digits",
            "it does not fit into float32",
            "send numbers that a float32 can hold",
        )


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for name, value in pairs:
        if name in request:
            _refuse(
                f"the field {_quoted(name)} more than once",
                "it is not clear which one counts",
                "send each field once",
            )
        request[name] = value
    return request


def _kind(value: object) -> str:
    """A JSON value in words, never its whole content."""
    match value:
        case str():
            return f"the text {_quoted(value)}"
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case _NotFinite():
            return "NaN" if math.isnan(value) else "infinite"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"


def _quoted(text: str) -> str:
    """The first characters of a text, as ASCII, so that any answer can carry them."""
    return json.dumps(text if len(text) <= 24 else text[:24] + "...")


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first(mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.argmax(mask)), mask.shape)
    return int(row), int(column)


def _refuse(seen: str, wrong: str, fix: str = "send a list of rows of numbers") -> NoReturn:
    raise RequestError("While reading a request", seen, wrong, fix)
