"""The contract, against a slow judge, NumPy's own rounding, and named bad requests."""

from __future__ import annotations

import json
import timeit
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amaas_kit.errors import RequestError, ServingError
from amaas_kit.serving import Contract

DIGITS = Contract(64, "classification", minimum=0.0, maximum=1.0)


def test_decode_refuses_each_bad_request_and_says_what_and_how_to_mend_it(bad_request):
    body, said = bad_request
    with pytest.raises(RequestError) as refused:
        DIGITS.decode(body)
    error = refused.value
    assert said in f"{error.seen}: {error.wrong} {error.fix}"
    assert all((error.seen, error.wrong, error.fix))
    assert len(error.seen) < 200
    str(error).encode()


def test_decode_agrees_with_a_slow_judge_on_drawn_bodies(drawn_bodies, is_good):
    seen = {True: 0, False: 0}

    @settings(settings.get_profile("serving"))
    @given(drawn_bodies)
    def check(body):
        good = is_good(body)
        seen[good] += 1
        try:
            rows = DIGITS.decode(body)
        except RequestError:
            assert not good
        else:
            assert good
            expected = np.array(json.loads(body)["x"], np.float32)
            np.testing.assert_array_equal(rows, expected)
            assert rows.dtype == np.float32

    check()
    assert min(seen.values()) > 10


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-9, 9, width=32)
    )
)
def test_rows_come_through_json_unchanged(rows):
    contract = Contract(rows.shape[1], "regression")
    decoded = contract.decode(json.dumps({"x": rows.tolist()}).encode())
    np.testing.assert_array_equal(decoded, rows)


def test_the_last_of_many_fields_sent_twice_is_found_at_once():
    fields = [f'"{i}": 1' for i in range(20_000)]
    body = f"{{{', '.join([*fields, fields[-1]])}}}".encode()

    def refuse():
        with pytest.raises(RequestError, match='"19999" more than once'):
            DIGITS.decode(body)

    assert timeit.timeit(refuse, number=1) < 1


def test_the_range_is_judged_in_float32_as_the_model_sees_it():
    contract = Contract(1, "regression", maximum=0.1)
    sent = float(np.float32(0.1))
    assert sent > 0.1
    assert contract.decode(b'{"x": [[%r]]}' % sent)[0, 0] == np.float32(0.1)
    with pytest.raises(RequestError):
        contract.decode(b'{"x": [[%r]]}' % float(np.nextafter(np.float32(0.1), np.float32(1))))


def test_an_error_names_the_column():
    contract = Contract(2, "regression", columns=("width", "height"))
    with pytest.raises(RequestError, match='row 0, column 1 "height"'):
        contract.decode(b'{"x": [[1, null]]}')


def test_a_field_may_have_another_name():
    assert Contract(1, "regression", input="rows").decode(b'{"rows": [[1]]}').shape == (1, 1)


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((1, 64), bool),
        np.full((1, 64), "0.5"),
        np.zeros((1, 64), complex),
        np.zeros((1, 64), object),
        np.zeros((0, 64)),
        np.zeros(64),
        np.zeros((1, 8)),
        np.zeros((1, 128)),
        np.zeros((8, 8)),
        np.zeros((1, 8, 8)),
        np.zeros((1025, 64)),
        np.full((1, 64), np.nan),
        np.full((1, 64), np.inf),
        np.full((1, 64), 1e300),
        np.full((1, 64), 1.5),
        [[0.5] * 64],
        None,
    ],
)
def test_check_neither_casts_nor_reshapes(rows):
    with pytest.raises(RequestError):
        DIGITS.check(rows)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, np.int64])
def test_check_takes_real_numbers_of_any_width(dtype):
    rows = np.ones((2, 64), dtype)
    checked = DIGITS.check(rows)
    assert checked.dtype == np.float32
    np.testing.assert_array_equal(checked, rows)


def test_answers_of_a_classifier_name_the_most_probable_class():
    contract = Contract(2, "classification", labels=("cat", "dog"))
    outputs = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)
    assert contract.answer(outputs, "pets", "3") == {
        "labels": ["dog", "cat"],
        "probabilities": [[0.25, 0.75], [0.5, 0.5]],
        "model": "pets",
        "version": "3",
    }
    assert Contract(2, "classification").answer(outputs, "pets", "3")["labels"] == [1, 0]


def test_answers_of_a_regression_are_numbers_or_lists_of_them():
    contract = Contract(2, "regression")
    one = contract.answer(np.array([[1.5], [2]], np.float32), "m", "1")
    assert one == {"values": [1.5, 2.0], "model": "m", "version": "1"}
    two = contract.answer(np.array([[1.5, 2.0]], np.float32), "m", "1")
    assert two["values"] == [[1.5, 2.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_refused(value):
    outputs = np.array([[1.0], [value]], np.float32)
    with pytest.raises(RequestError, match="row 1"):
        Contract(2, "regression").answer(outputs, "m", "1")


drawn_parts = {
    "features": st.just(2),
    "minimum": st.none() | st.floats(-9, 0),
    "maximum": st.none() | st.floats(0, 9),
    "columns": st.none() | st.just(("a", "b")),
    "max_rows": st.integers(1, 4096),
}
drawn_labels = st.none() | st.lists(st.text() | st.integers(), unique=True).map(tuple)
contracts = st.builds(
    Contract, task=st.just("classification"), labels=drawn_labels, **drawn_parts
) | st.builds(Contract, task=st.just("regression"), **drawn_parts)


@given(contracts)
def test_a_contract_survives_being_written(contract):
    assert Contract.from_dict(json.loads(json.dumps(contract.to_dict()))) == contract


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"format": None}, {"colour": "red"}, {"features": ...}]
)
def test_a_contract_of_another_format_is_refused(change):
    written = DIGITS.to_dict() | change
    written = {name: value for name, value in written.items() if value is not ...}
    with pytest.raises(ServingError):
        Contract.from_dict(written)


@pytest.mark.parametrize(
    "parts",
    [
        {"features": 0},
        {"features": 2.0},
        {"features": True},
        {"task": "ranking"},
        {"dtype": "float64"},
        {"minimum": 2.0, "maximum": 1.0},
        {"maximum": float("nan")},
        {"columns": ("a",)},
        {"labels": ("a", "a")},
        {"labels": (1.5, 2.5)},
        {"labels": ("a", "b"), "task": "regression"},
        {"max_rows": 0},
    ],
)
def test_parts_that_do_not_fit_make_no_contract(parts):
    with pytest.raises(ServingError):
        Contract(**({"features": 2, "task": "classification"} | parts))


def test_a_contract_follows_from_data():
    facts = SimpleNamespace(
        features=2,
        task="classification",
        columns=("a", "b"),
        labels=(np.int64(3), np.str_("x")),
        bounds=(0.0, 1.0),
        minimum=0.25,
        maximum=0.75,
    )
    contract = Contract.from_data(facts)
    assert (contract.minimum, contract.maximum) == (0.0, 1.0), "by definition, not as observed"
    assert contract.columns == ("a", "b")
    assert json.dumps(contract.to_dict()["labels"]) == '[3, "x"]'


def test_a_full_request_fits_into_the_body_limit():
    rows = np.full((1024, 64), -1.2345678901234567e-300).tolist()
    assert len(json.dumps({"x": rows}, indent=None).encode()) < DIGITS.body_limit
    assert Contract(10**9, "regression").body_limit == 64 * 2**20
