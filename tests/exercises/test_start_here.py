"""The exercises of lesson 00 ask for what the service, the trainer and the doctor really do."""

import json

import numpy as np
import pytest

from amaas_kit import doctor
from amaas_kit.data import load_digits
from amaas_kit.errors import RequestError
from amaas_kit.exercises import start_here as ex
from amaas_kit.network import Network
from amaas_kit.serving.contract import Contract
from amaas_kit.training import evaluate


@pytest.fixture(scope="module")
def contract():
    return Contract.from_data(load_digits().train)


def sent_as_json(contract, shape):
    """What the service makes of the body that a client sends for an array of zeros."""
    body = json.dumps({"x": np.zeros(shape).tolist()}).encode()
    try:
        return len(contract.decode(body))
    except RequestError:
        return "refused"


def test_a_prediction_is_judged_by_what_a_request_over_http_meets(contract):
    rng = np.random.default_rng(7)
    shapes = {ex.predict_reply.draw(rng)["shape"] for _ in range(200)}
    assert {(0, 64), (64,), (1024, 64), (1025, 64)} <= shapes
    for shape in shapes:
        assert ex.labels_in_the_answer(shape) == sent_as_json(contract, shape)


def test_the_statement_and_the_mistakes_name_the_contracts_own_numbers(contract):
    assert (contract.features, contract.max_rows) == (64, 1024)
    assert len(contract.labels) == 10
    assert "exactly 64 numbers" in ex.predict_reply.statement
    assert "at most 1,024" in ex.predict_reply.statement


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda shape: "Refused.", "exactly like this"),
        (lambda shape: 3, "The service refuses an array of shape"),
        (lambda shape: "refused", "The service answers an array of shape"),
    ],
)
def test_a_wrong_prediction_reads_what_the_service_does(answer, words):
    verdict = ex.predict_reply.examine(answer, seed=0)
    assert verdict.outcome == "not yet"
    assert words in verdict.message


def test_an_answer_that_stops_at_a_flat_list_is_told_why():
    def answer(shape):
        rows, columns = shape
        return rows if columns == 64 else "refused"

    verdict = ex.predict_reply.examine(answer, seed=0)
    assert verdict.mistake == "two_entries_taken_for_granted"


def test_a_number_in_quotation_marks_is_told_so():
    def answer(shape):
        right = ex.labels_in_reply(shape)
        return "1" if right == 1 else right

    verdict = ex.predict_reply.examine(answer, seed=0)
    assert verdict.mistake == "number_as_text"
    assert "with 1 label" not in verdict.message


def test_the_baseline_is_the_one_that_evaluations_report():
    test = load_digits().test
    reported = evaluate(Network([64, 10], seed=1), test).baseline
    assert ex.baseline(test.y.tolist()) == pytest.approx(reported)


def test_drawn_reports_look_like_the_doctors():
    rng = np.random.default_rng(7)
    findings = [one for _ in range(50) for one in ex.read_report.draw(rng)["findings"]]
    assert {one.status for one in findings} == {"ok", "note", "problem"}
    assert all(bool(one.fix) == (one.status != "ok") for one in findings)
    real = {one.name for one in doctor.examine()}
    assert {one.name for one in findings} <= real
