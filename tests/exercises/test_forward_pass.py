"""The exercises of lesson 01 tell near misses apart, and say of each what is wrong with it."""

import numpy as np
import pytest

from amaas_kit.exercises import forward_pass as ex

SEEDS = range(4)


def verdicts(exercise, answer):
    return [exercise.examine(answer, seed=seed) for seed in SEEDS]


def outcomes(exercise, answer):
    return {verdict.outcome for verdict in verdicts(exercise, answer)}


def mistakes(exercise, answer):
    return {verdict.mistake for verdict in verdicts(exercise, answer)}


@pytest.mark.parametrize("most", [6, 10, 50])
def test_a_relu_with_a_cap_is_not_correct(most):
    assert outcomes(ex.relu_activation, lambda z: np.clip(z, 0, most)) == {"not yet"}


@pytest.mark.parametrize(
    "answer",
    [lambda z: z > 0 and z, lambda z: z if z > 0 else 0, lambda z: z * bool(z > 0)],
)
def test_whatever_asks_an_array_for_one_answer_is_named(answer):
    assert mistakes(ex.relu_activation, answer) == {"python_max"}
    said = ex.relu_activation.examine(answer, seed=0).message
    assert all(f"`{word}`" in said for word in ("and", "or", "bool"))


def test_a_single_layer_is_not_counted_twice():
    def first_middle_last(sizes):
        total = sizes[0] * sizes[1] + sizes[1]
        for i in range(1, len(sizes) - 2):
            total += sizes[i] * sizes[i + 1] + sizes[i + 1]
        return total + sizes[-2] * sizes[-1] + sizes[-1]

    assert outcomes(ex.parameter_count, first_middle_last) == {"not yet"}


def test_the_first_layer_without_a_loop_is_not_told_of_a_return_that_stands_there():
    answer = ex.parameter_count.examine(lambda sizes: (sizes[0] + 1) * sizes[1], seed=0)
    assert answer.mistake == "first_layer_alone"
    assert "(A `return` inside a loop would end" in answer.message


def begun_in_each_round(sizes):
    for i in range(len(sizes) - 1):
        total = 0
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


def one_round_too_many(sizes):
    total = 0
    for i in range(len(sizes)):
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


@pytest.mark.parametrize(
    ("answer", "name"),
    [(begun_in_each_round, "last_layer_alone"), (one_round_too_many, "beyond_the_last")],
)
def test_a_loop_over_sizes_that_goes_wrong_is_named(answer, name):
    assert mistakes(ex.parameter_count, answer) == {name}


def loss_of_row(logits, y, i):
    largest = logits[i].max()
    return largest + np.log(np.exp(logits[i] - largest).sum()) - logits[i, y[i]]


@pytest.mark.parametrize(
    "rows",
    [
        lambda n, k: range(1, n + 1),
        lambda n, k: range(n + 1),
        lambda n, k: range(k),
    ],
)
def test_a_loop_beyond_the_rows_is_not_told_of_classes(rows):
    def answer(logits, y):
        return sum(loss_of_row(logits, y, i) for i in rows(*logits.shape)) / len(y)

    assert mistakes(ex.loss_from_logits, answer) == {None}


def minus_log_of_truth(logits, y, change):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(change(p)[np.arange(len(y)), y]).mean()


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p + 1e-8,
        lambda p: p + 1e-15,
        lambda p: np.clip(p, 1e-7, 1 - 1e-7),
        lambda p: np.maximum(p, 1e-300),
        lambda p: p + np.finfo(float).eps,
    ],
)
def test_probabilities_kept_from_0_are_named_with_the_row_that_suffers(change):
    for verdict in verdicts(ex.loss_from_logits, lambda *given: minus_log_of_truth(*given, change)):
        assert verdict.mistake == "log_of_nearly_zero"
        assert "(counted from 0) should cost" in verdict.message


@pytest.mark.parametrize("off", [lambda loss: 1.013 * loss + 0.0171, lambda loss: loss + 1e-3])
def test_a_loss_that_is_off_by_a_little_is_no_known_mistake(off):
    answer = ex.loss_from_logits.answer
    assert outcomes(ex.loss_from_logits, lambda *given: off(answer(*given))) == {"not yet"}
    assert mistakes(ex.loss_from_logits, lambda *given: off(answer(*given))) == {None}


@pytest.mark.parametrize("far", [1000, 1005])
def test_a_constant_shift_is_not_called_the_largest_logit(far):
    def answer(z):
        powers = np.exp(z - far)
        return powers / powers.sum(axis=1, keepdims=True)

    for verdict in verdicts(ex.stable_softmax, answer):
        assert verdict.mistake == "one_shift_for_all"
        assert "You took the same number from every row" in verdict.message


def widely_copied(z):
    powers = np.exp(z - np.max(z))
    return powers / powers.sum(axis=0)


def widely_copied_without_an_axis(z):
    powers = np.exp(z - np.max(z))
    return powers / powers.sum()


def without_shift_or_axis(z):
    return np.exp(z) / np.exp(z).sum()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (widely_copied, "one_shift_and_sum_of_columns"),
        (widely_copied_without_an_axis, "one_shift_and_sum_of_all"),
        (without_shift_or_axis, "no_shift_and_sum_of_all"),
        (lambda z: np.exp(z) / sum(np.exp(z)), "no_shift_and_sum_of_columns"),
    ],
)
def test_a_shift_and_an_axis_that_are_both_wrong_are_named_together(answer, name):
    assert mistakes(ex.stable_softmax, answer) == {name}


def test_a_row_of_sums_is_told_the_shapes_that_go_wrong():
    def answer(z):
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1).reshape(1, -1)

    for verdict in verdicts(ex.stable_softmax, answer):
        assert verdict.mistake == "keepdims_missing_in_the_sum"
        assert "(n,) or (1, n)" in verdict.message


def dense_by_loops(x, w, b, bias):
    z = np.zeros((len(x), len(b)))
    for i in range(len(x)):
        for j in range(len(b)):
            for k in range(len(w)):
                z[i, j] += x[i, k] * w[k, j] + (b[j] if bias == "in every round" else 0)
            z[i, j] += b[i] if bias == "of the row" else 0
    return z


@pytest.mark.parametrize(
    ("bias", "name"),
    [("in every round", "bias_in_every_round"), ("of the row", "bias_by_row_number")],
)
def test_a_bias_that_is_added_at_the_wrong_place_of_a_loop_is_named(bias, name):
    assert mistakes(ex.dense_layer, lambda *given: dense_by_loops(*given, bias)) == {name}
