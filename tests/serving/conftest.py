"""Shared by the tests of serving: bad requests with what must be said of them, and own stores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import hypothesis
import numpy as np
import pytest

FEATURES = 64
MAX_ROWS = 1024
SOAK = os.environ.get("AMAAS_SOAK") == "1"

hypothesis.settings.register_profile(
    "serving", max_examples=5000 if SOAK else 200, deadline=None, derandomize=not SOAK
)


@pytest.fixture(scope="module", autouse=True)
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """BentoML's store and the kit's own folder, empty, for each module of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        patch.setenv("AMAAS_HOME", str(tmp_path_factory.mktemp("amaas")))
        yield


def good_row() -> list[float]:
    return [0.5] * FEATURES


def body(rows: object) -> bytes:
    return json.dumps({"x": rows}).encode()


def with_cell(text: str) -> bytes:
    """Two good rows, with this JSON text at row 1, column 5."""
    cells = ["0.5"] * FEATURES
    bad = [*cells[:5], text, *cells[6:]]
    return f'{{"x": [[{",".join(cells)}], [{",".join(bad)}]]}}'.encode()


CELL = "row 1, column 5"

BAD_REQUESTS: dict[str, tuple[bytes, str]] = {
    "empty body": (b"", "empty body"),
    "blank body": (b" \n", "empty body"),
    "malformed": (b'{"x": [[0.5', "not JSON"),
    "two values": (b'{"x": [[0.5]]} {}', "not JSON"),
    "not UTF-8": (b'{"x": "\xff"}', "not UTF-8"),
    "UTF-16": (json.dumps({"x": [good_row()]}).encode("utf-16"), "not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf" + body([good_row()]), "not JSON"),
    "nested 5,000 deep": (b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "dimensions"),
    "nested 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, "dimensions"),
    "objects nested 5,000 deep": (b'{"x":' * 5000 + b"1" + b"}" * 5000, ""),
    "a list": (body([good_row()])[5:-1], "JSON object"),
    "a number": (b"7", "JSON object"),
    "null alone": (b"null", "JSON object"),
    "no field": (b"{}", '"x" is missing'),
    "another field": (b'{"y": [[0.5]]}', 'field "y"'),
    "a field too many": (body([good_row()])[:-1] + b', "y": 1}', 'field "y"'),
    "a field twice": (b'{"x": [[0.5]], "x": [[0.5]]}', "more than once"),
    "a lone surrogate as field": (b'{"\\ud800": 1}', "\\ud800"),
    "x null": (b'{"x": null}', "null"),
    "x text": (b'{"x": "0.5"}', "list of rows"),
    "x a number": (b'{"x": 0.5}', "list of rows"),
    "x an object": (b'{"x": {"0": [0.5]}}', "list of rows"),
    "no rows": (b'{"x": []}', "empty list"),
    "an empty row": (b'{"x": [[]]}', "0 columns"),
    "ragged": (body([good_row(), good_row()[:-1]]), "row 1 (counted from 0) has 63 columns"),
    "8 columns": (body([[0.5] * 8]), "8 columns"),
    "128 columns": (body([[0.5] * 128]), "128 columns"),
    "one flat row": (body(good_row()), "one flat list of 64 numbers"),
    "a row of text": (body([good_row(), "row"]), "row 1"),
    "three dimensions": (body([[[0.5] * FEATURES]]), "two dimensions"),
    "three dimensions, wide": (body([[[0.5]] * FEATURES]), "two dimensions"),
    "text": (with_cell('"abc"'), CELL),
    "numeric text": (with_cell('"0.5"'), "without quotes"),
    "a lone surrogate": (with_cell('"\\ud800"'), CELL),
    "true": (with_cell("true"), CELL),
    "false": (with_cell("false"), CELL),
    "null": (with_cell("null"), CELL),
    "an object": (with_cell("{}"), CELL),
    "NaN": (with_cell("NaN"), "is NaN"),
    "Infinity": (with_cell("Infinity"), "is infinite"),
    "-Infinity": (with_cell("-Infinity"), "is infinite"),
    "1e400": (with_cell("1e400"), "infinite or beyond"),
    "beyond float32": (with_cell("1e39"), "float32"),
    "400 digits": (with_cell("1" + "0" * 400), "401 digits"),
    "5,000 digits": (with_cell("1" * 5000), "digits"),
    "above the range": (with_cell("1.001"), "greatest value"),
    "below the range": (with_cell("-0.001"), "least value"),
    "too many rows": (body([good_row()] * (MAX_ROWS + 1)), "at most 1,024"),
}


@pytest.fixture(params=BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def bad_request(request: pytest.FixtureRequest) -> tuple[bytes, str]:
    """The body of a bad request, and a part of what must be said of it."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def bad_bodies() -> list[bytes]:
    """The bodies of all bad requests."""
    return [body for body, _ in BAD_REQUESTS.values()]


@pytest.fixture(scope="session")
def is_good() -> Callable[[bytes], bool]:
    """A judge of requests that shares no line with the contract: slow, in plain Python."""

    def number(cell: object) -> bool:
        if isinstance(cell, bool) or not isinstance(cell, (int, float)):
            return False
        if not 0 - 1e-3 < cell < 1 + 1e-3:
            return False
        return 0.0 <= float(np.float32(cell)) <= 1.0

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError
        return dict(pairs)

    def judge(request: bytes) -> bool:
        try:
            value = json.loads(request.decode("utf-8"), object_pairs_hook=once)
        except (ValueError, RecursionError):
            return False
        if not isinstance(value, dict) or list(value) != ["x"]:
            return False
        rows = value["x"]
        return (
            isinstance(rows, list)
            and 1 <= len(rows) <= MAX_ROWS
            and all(isinstance(row, list) and len(row) == FEATURES for row in rows)
            and all(number(cell) for row in rows for cell in row)
        )

    return judge


@pytest.fixture(scope="session")
def drawn_bodies() -> hypothesis.strategies.SearchStrategy[bytes]:
    """Bodies near the contract and far from it: JSON, broken JSON, and any bytes."""
    st = hypothesis.strategies
    scalars = (
        st.none()
        | st.booleans()
        | st.floats()
        | st.floats(0, 1)
        | st.integers()
        | st.text(max_size=8)
        | st.sampled_from([10**400, 1, 0, 0.5, "0.5", -0.0, 1e-46, 1e39])
    )
    values = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=12,
    )
    cells = st.lists(st.floats(0, 1, width=32), min_size=FEATURES, max_size=FEATURES)
    good = st.lists(cells, min_size=1, max_size=3)

    @st.composite
    def one_cell_changed(draw: hypothesis.strategies.DrawFn) -> object:
        rows = draw(good)
        row = draw(st.integers(0, len(rows) - 1))
        rows[row][draw(st.integers(0, FEATURES - 1))] = draw(values)
        return rows

    @st.composite
    def damaged(draw: hypothesis.strategies.DrawFn) -> bytes:
        whole = json.dumps({"x": draw(good)}).encode()
        place = draw(st.integers(0, len(whole)))
        return (
            whole[:place] + draw(st.binary(max_size=3)) + whole[place + draw(st.integers(0, 2)) :]
        )

    def as_json(value: object) -> bytes:
        return json.dumps(value).encode()

    field = st.sampled_from(["x", "X", "y"])
    return (
        st.binary(max_size=64)
        | values.map(as_json)
        | st.dictionaries(field, values | good, max_size=2).map(as_json)
        | one_cell_changed().map(lambda rows: as_json({"x": rows}))
        | good.map(lambda rows: as_json({"x": rows}))
        | damaged()
    )
