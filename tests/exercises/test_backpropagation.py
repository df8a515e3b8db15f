"""Mistakes of lesson 02 as learners write them are named, and no sentence gives an answer away."""

import math

import numpy as np
import pytest

from amaas_kit.exercises import backpropagation as ex

EXERCISES = (
    ex.neuron,
    ex.gradient_checker,
    ex.dense_backward,
    ex.relu_backward,
    ex.softmax_cross_entropy,
    ex.topological_order,
)


def softmax(z):
    powers = np.exp(z)
    return powers / powers.sum(axis=1, keepdims=True)


def caret_of_a_float(w, x, b, y):
    a = math.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - a ^ 2)
    return dz * x, dz * w, dz


def db_before_the_slope(w, x, b, y):
    a = np.tanh(w * x + b)
    da = 2 * (a - y)
    dz = da * (1 - a**2)
    return dz * x, dz * w, da


def caret_of_an_array(x, w, a, upstream):
    delta = upstream * (1 - a ^ 2)
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def one_truth_for_all(z, a, upstream):
    if z > 0:
        return upstream
    return 0


def greater_of_an_array(z, a, upstream):
    return upstream * max(z, 0)


def truth_over_n(z, y):
    p = softmax(z)
    p[np.arange(len(y)), y] -= 1 / len(y)
    return p


def probabilities(z, y):
    return softmax(z)


def order_not_reversed(graph, last):
    order = []

    def visit(node):
        for parent, _ in graph[node]:
            if parent not in order:
                visit(parent)
        order.append(node)

    visit(last)
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    for node in order:
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
    return gradients


WRITTEN = [
    (ex.neuron, caret_of_a_float, "caret"),
    (ex.neuron, db_before_the_slope, "slope_left_out_of_db"),
    (ex.dense_backward, caret_of_an_array, "caret"),
    (ex.relu_backward, one_truth_for_all, "asked_once"),
    (ex.relu_backward, greater_of_an_array, "asked_once"),
    (ex.softmax_cross_entropy, truth_over_n, "only_truth_averaged"),
    (ex.softmax_cross_entropy, probabilities, "truth_left_out_and_mean_missing"),
    (ex.topological_order, order_not_reversed, "parents_first"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), WRITTEN)
def test_a_mistake_as_it_is_written_is_named_on_every_seed(exercise, answer, mistake):
    verdicts = [exercise.examine(answer, seed) for seed in range(6)]
    assert {(one.outcome, one.mistake) for one in verdicts} == {("not yet", mistake)}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.name)
def test_no_sentence_holds_the_expression_of_the_answer(exercise):
    said = " ".join(mistake.sentence for mistake in exercise.mistakes)
    for expression in ("(2 h)", "2 h", "np.arange(", "x.T @", "@ w.T", "upstream * ", "axis=0"):
        assert expression not in said
