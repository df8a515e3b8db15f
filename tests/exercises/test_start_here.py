"""The exercises of lesson 00 ask for what the service, the trainer and the doctor really do."""

import itertools
import json
import statistics
from decimal import Decimal
from fractions import Fraction

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
    shapes = {ex.predict_reply.draw(rng)["shape"] for _ in range(300)}
    assert {(), (0, 64), (64,), (1024, 64), (1025, 64), (1, 1, 1, 64)} <= shapes
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


def test_what_was_seen_does_not_give_the_status_away():
    rng = np.random.default_rng(7)
    findings = [one for _ in range(200) for one in ex.read_report.draw(rng)["findings"]]
    seen = {status: {one.seen for one in findings if one.status == status} for status in STATUSES}
    assert seen["problem"] & seen["ok"]
    assert seen["problem"] & seen["note"]


STATUSES = ("ok", "note", "problem")
SEEDS = range(4)


def outcomes(exercise, answer):
    return {exercise.examine(answer, seed=seed).outcome for seed in SEEDS}


def mistakes(exercise, answer):
    return {exercise.examine(answer, seed=seed).mistake for seed in SEEDS}


def highest_count(labels):
    return max(labels.count(label) for label in labels)


@pytest.mark.parametrize("number", [Fraction, lambda most, count: Decimal(most) / count])
def test_an_exact_number_is_a_number(number):
    assert outcomes(
        ex.trivial_baseline, lambda labels: number(highest_count(labels), len(labels))
    ) == {"correct"}
    assert outcomes(ex.trivial_baseline, lambda labels: number(1, len(labels))) == {"not yet"}


@pytest.mark.parametrize("off", [lambda share: 1.013 * share, lambda share: share + 1e-6])
def test_a_share_that_is_off_by_a_little_is_no_known_mistake(off):
    def answer(labels):
        return off(ex.baseline(labels))

    assert outcomes(ex.trivial_baseline, answer) == {"not yet"}
    assert mistakes(ex.trivial_baseline, answer) == {None}


def longest_run(labels):
    ordered, most, run = sorted(labels), 0, 1
    for one, following in itertools.pairwise(ordered):
        run = run + 1 if one == following else 1
        most = max(most, run)
    return most / len(labels)


def test_runs_that_miss_a_single_label_are_not_correct():
    assert outcomes(ex.trivial_baseline, longest_run) == {"not yet"}


@pytest.mark.parametrize("label", [statistics.mode, lambda labels: np.bincount(labels).argmax()])
def test_the_label_itself_is_named_however_ties_are_broken(label):
    for seed in SEEDS:
        verdict = ex.trivial_baseline.examine(label, seed=seed)
        assert "You returned the most frequent label itself" in verdict.message


def by_lengths_that_are_no_table(shape):
    if len(shape) in (1, 3):
        return "refused"
    rows, columns = shape
    return rows if columns == 64 and 1 <= rows <= 1024 else "refused"


def by_lengths_without_unpacking(shape):
    if len(shape) in (1, 3):
        return "refused"
    return shape[0] if shape[1] == 64 and 1 <= shape[0] <= 1024 else "refused"


@pytest.mark.parametrize("answer", [by_lengths_that_are_no_table, by_lengths_without_unpacking])
def test_shapes_of_four_entries_and_of_none_are_drawn(answer):
    assert outcomes(ex.predict_reply, answer) == {"not yet"}


def three_entries(shape):
    rows, depth, columns = shape
    return rows if columns == 64 and depth and 1 <= rows <= 1024 else "refused"


def test_three_entries_taken_for_granted_are_not_called_two():
    assert mistakes(ex.predict_reply, three_entries) == {None}


def shape_first(shape):
    if shape[1] == 64 and len(shape) == 2 and 1 <= shape[0] <= 1024:
        return shape[0]
    return "refused"


def without_quotes(shape):
    if len(shape) == 2 and shape[1] == 64 and 1 <= shape[0] <= 1024:
        return shape[0]
    return refused  # noqa: F821


@pytest.mark.parametrize(
    ("answer", "name"),
    [(shape_first, "second_entry_taken_for_granted"), (without_quotes, "name_without_quotes")],
)
def test_an_error_that_gives_a_prediction_away_is_named(answer, name):
    assert mistakes(ex.predict_reply, answer) == {name}


def test_a_list_in_place_of_a_number_is_told_so():
    def answer(shape):
        right = ex.labels_in_reply(shape)
        return right if right == "refused" else list(range(right + 1))

    verdict = ex.predict_reply.examine(answer, seed=0)
    assert verdict.mistake is None
    assert "where a number is asked for" in verdict.message


@pytest.mark.parametrize("between", ["", " ", ", ", " and ", "; "])
def test_fixes_joined_into_one_text_are_named(between):
    assert mistakes(ex.read_report, lambda given: between.join(ex.to_mend(given))) == {"one_text"}


@pytest.mark.parametrize("none", [None, ""])
def test_the_first_fix_alone_is_not_taken_for_joined_fixes(none):
    for seed in SEEDS:
        verdict = ex.read_report.examine(lambda given: (ex.to_mend(given) or [none])[0], seed=seed)
        assert verdict.mistake in ("first_alone", None)
        assert "A `return` inside a loop would end" in verdict.message or not verdict.mistake


def test_a_default_list_that_grows_is_named():
    def answer(findings, fixes=[]):  # noqa: B006
        for finding in findings:
            if finding.status == "problem":
                fixes.append(finding.fix)
        return fixes

    assert mistakes(ex.read_report, answer) == {"list_that_grows"}


def test_a_list_of_fixes_that_is_off_by_a_little_is_no_known_mistake():
    def answer(findings):
        fixes = ex.to_mend(findings)
        return [f"{fix}." for fix in fixes] or [1]

    assert outcomes(ex.read_report, answer) == {"not yet"}
    assert mistakes(ex.read_report, answer) == {None}
