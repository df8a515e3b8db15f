"""The exercises of lesson 03 take every right answer, and say what is wrong with the others."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from amaas_kit.exercises import gradient_descent as ex

SEEDS = range(50)


def single(*arrays):
    return [np.asarray(array, "float32") for array in arrays]


def adam_in_float32(w, dw, m, v, t, lr):
    w, dw, m, v, lr, epsilon = single(w, dw, m, v, lr, 1e-7)
    beta_1, beta_2 = np.float32(0.9), np.float32(0.999)
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adam_on_float32_arrays(w, dw, m, v, t, lr):
    return ex.adam_step(*single(w, dw, m, v), t, lr)


def adam_with_powers_in_float32(w, dw, m, v, t, lr):
    w, dw, m, v = single(w, dw, m, v)
    left_1 = np.prod([np.float32(0.9)] * t, dtype="float32")
    left_2 = np.prod([np.float32(0.999)] * t, dtype="float32")
    m = m + (dw - m) * np.float32(0.1)
    v = v + (dw**2 - v) * np.float32(0.001)
    return w - lr * (m / (1 - left_1)) / (np.sqrt(v / (1 - left_2)) + np.float32(1e-7)), m, v


def adam_in_another_order(w, dw, m, v, t, lr):
    m = m - (m - dw) * 0.1
    v = v - (v - dw * dw) * 0.001
    below = (v / (1 - 0.999**t)) ** 0.5 + 1e-7
    return [w + -lr / below * m / (1 - 0.9**t), m, v]


def adam_by_entries(w, dw, m, v, t, lr):
    found = [
        ex.adam_step(*entry, t, lr) for entry in zip(w.flat, dw.flat, m.flat, v.flat, strict=True)
    ]
    return tuple(np.reshape(part, w.shape) for part in zip(*found, strict=True))


def momentum_in_float32(w, dw, m, lr, beta):
    w, dw, m = single(w, dw, m)
    m = np.float32(beta) * m - np.float32(lr) * dw
    return w + m, m


def momentum_in_another_order(w, dw, m, lr, beta):
    new = w - lr * dw + beta * m
    return new, new - w


def update_in_float32(w, dw, lr):
    w, dw = single(w, dw)
    return w - np.float32(lr) * dw


def rate_in_float32(hessian):
    return 2 / np.linalg.eigvalsh(np.float32(hessian))[-1]


def rate_in_float32_as_a_float(hessian):
    return float(2 / np.linalg.eigvalsh(np.float32(hessian)).max())


def rate_by_norm(hessian):
    return 2 / np.linalg.norm(hessian, 2)


def limit_by_walking(curvature, beta):
    low, high = 0.0, 8 / curvature
    while high - low > 1e-4 * high:
        rate = (low + high) / 2
        w, m = 1.0, 0.0
        for _ in range(3000):
            m = beta * m - rate * curvature * w
            w += m
            if abs(w) > 1e6:
                break
        low, high = (rate, high) if abs(w) < 1e-3 else (low, rate)
    return low


def batches_in_float32(x, y, size, rng):
    return [(np.float32(part), labels) for part, labels in ex.batches(x, y, size, rng)]


def batches_in_float16(x, y, size, rng):
    return [(np.float16(part), labels) for part, labels in ex.batches(x, y, size, rng)]


def batches_in_lists(x, y, size, rng):
    return tuple([part.tolist(), labels.tolist()] for part, labels in ex.batches(x, y, size, rng))


def batches_by_sorting(x, y, size, rng):
    order = np.argsort(rng.random(len(x)))
    return [(x[rows], y[rows]) for rows in np.split(order, range(size, len(x), size))]


def batches_by_joining(x, y, size, rng):
    table = np.column_stack([x, y])
    rng.shuffle(table)
    return [
        (table[at : at + size, :-1], table[at : at + size, -1].astype(int))
        for at in range(0, len(x), size)
    ]


def batches_by_drawing_without_replacement(x, y, size, rng):
    left, parts = np.arange(len(x)), []
    while len(left):
        rows = rng.choice(left, min(size, len(left)), replace=False)
        left = np.setdiff1d(left, rows)
        parts.append((x[rows], y[rows]))
    return parts


def batches_by_an_offspring_of_the_generator(x, y, size, rng):
    return ex.batches(x, y, size, rng.spawn(1)[0])


def batches_by_a_seed_from_the_generator(x, y, size, rng):
    return ex.batches(x, y, size, np.random.default_rng(rng.integers(2**31)))


RIGHT = [
    (ex.mini_batches, batches_by_an_offspring_of_the_generator),
    (ex.mini_batches, batches_by_a_seed_from_the_generator),
    *((ex.update_rule, update_in_float32), (ex.stable_rate, rate_in_float32)),
    (ex.stable_rate, rate_in_float32_as_a_float),
    *((ex.stable_rate, rate_by_norm), (ex.momentum_rule, momentum_in_float32)),
    (ex.momentum_rule, momentum_in_another_order),
    *((ex.adam_rule, adam_in_float32), (ex.adam_rule, adam_on_float32_arrays)),
    *((ex.adam_rule, adam_with_powers_in_float32), (ex.adam_rule, adam_in_another_order)),
    *((ex.adam_rule, adam_by_entries), (ex.mini_batches, batches_in_float32)),
    *((ex.mini_batches, batches_in_float16), (ex.mini_batches, batches_in_lists)),
    *((ex.mini_batches, batches_by_sorting), (ex.mini_batches, batches_by_joining)),
    (ex.mini_batches, batches_by_drawing_without_replacement),
]


def named(value):
    return getattr(value, "__name__", None) or value.name


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=named)
def test_a_right_answer_of_another_kind_is_never_refused(exercise, answer):
    for seed in SEEDS:
        verdict = exercise.examine(answer, seed=seed)
        assert verdict.outcome == "correct", (seed, verdict.message)


def test_a_limit_found_by_walking_is_right():
    assert "one part in a thousand" in ex.momentum_limit.statement
    for seed in range(2):
        verdict = ex.momentum_limit.examine(limit_by_walking, seed=seed, draws=3)
        assert verdict.outcome == "correct", verdict.message


@pytest.mark.parametrize("share", [0.998, 1.002])
def test_a_limit_that_is_off_by_more_than_it_may_is_wrong(share):
    def off(curvature, beta):
        return share * ex.limit_with_momentum(curvature, beta)

    assert ex.momentum_limit.examine(off, seed=0).outcome == "not yet"


@pytest.mark.parametrize("mistake", ex.adam_rule.mistakes, ids=lambda one: one.name)
def test_a_mistake_in_adam_is_one_in_float32_too(mistake):
    def answer(w, dw, m, v, t, lr):
        return single(*mistake.answer(*single(w, dw, m, v), t, lr))

    for seed in range(10):
        assert ex.adam_rule.examine(answer, seed=seed).outcome == "not yet"


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_every_wrong_order_of_adams_results_is_told(order):
    def answer(*given):
        return tuple(ex.adam_step(*given)[i] for i in order)

    assert ex.adam_rule.examine(answer, seed=0).mistake == "other_order"


def test_a_wrong_result_of_adam_is_told_with_its_name_and_place():
    def answer(*given):
        w, m, v = ex.adam_step(*given)
        return w, m, v + 0.5

    message = ex.adam_rule.examine(answer, seed=0).message
    assert "The third result, v, at [0" in message


def test_slopes_beside_the_new_weights_are_too_much():
    message = ex.update_rule.examine(lambda w, dw, lr: (w - lr * dw, dw), seed=0).message
    assert "return that part alone" in message
    assert "np.array" not in message


@pytest.mark.parametrize(
    "answer",
    [
        lambda x, y, size, rng: ex.batches(x, y, size, np.random.default_rng(0)),
        lambda x, y, size, rng: ex.batches(x, y, size, np.random.default_rng()),
        lambda x, y, size, rng: ex.batches(x[::-1], y[::-1], size, np.random.default_rng(1)),
    ],
)
def test_chance_from_elsewhere_is_refused_whatever_it_draws(answer):
    for seed in SEEDS:
        verdict = ex.mini_batches.examine(answer, seed=seed, draws=1)
        assert verdict.outcome == "not yet"
        assert "drew nothing from `rng`" in verdict.message


def shuffled_again_in_each_batch(x, y, size, rng):
    order, parts = rng.permutation(len(x)), []
    for start in range(0, len(x), size):
        rows = order[start : start + size]
        np.random.shuffle(rows)
        parts.append((x[rows], y[rows]))
    return parts


def drawn_elsewhere_after_one_number(x, y, size, rng):
    rng.integers(10)
    return ex.batches(x, y, size, np.random.default_rng())


@pytest.mark.parametrize(
    "answer", [shuffled_again_in_each_batch, drawn_elsewhere_after_one_number], ids=named
)
def test_a_second_source_of_chance_is_refused(answer):
    for seed in SEEDS:
        verdict = ex.mini_batches.examine(answer, seed=seed)
        assert (verdict.outcome, verdict.mistake) == ("not yet", None)
        assert "Called again with an equal generator" in verdict.message


def test_an_order_that_no_generator_changes_is_refused():
    def answer(x, y, size, rng):
        rng.integers(10)
        return ex.batches(x, y, size, np.random.default_rng(0))

    message = ex.mini_batches.examine(answer, seed=0).message
    assert "Whatever the generator, the result is the same" in message


def from_orders(orders):
    def answer(x, y, size, rng):
        return [(x[rows], y[rows]) for rows in orders(len(x), size, rng)]

    return answer


def cut(order, size):
    return np.split(order, range(size, len(order), size))


REPEATED_OR_CUT_OTHERWISE = {
    "drawn_for_each_batch": [
        lambda n, size, rng: [rng.permutation(n)[:size] for _ in range(n // size)],
        lambda n, size, rng: [rng.choice(n, size, replace=False) for _ in range(0, n, size)],
    ],
    "with_replacement": [
        lambda n, size, rng: [rng.choice(n, size) for _ in range(n)],
        lambda n, size, rng: rng.integers(0, n, (n, 1)),
    ],
    "overlapping": [
        lambda n, size, rng: sliding_window_view(rng.permutation(n), size)[: n // size],
    ],
    "turned": [lambda n, size, rng: cut(np.roll(np.arange(n), rng.integers(1, n)), size)],
    "blocks": [lambda n, size, rng: sorted(cut(np.arange(n), size), key=lambda _: rng.random())],
    "evened": [lambda n, size, rng: np.array_split(rng.permutation(n), n // size)],
}


@pytest.mark.parametrize(
    ("mistake", "orders"),
    [(name, orders) for name, found in REPEATED_OR_CUT_OTHERWISE.items() for orders in found],
)
def test_what_repeats_or_cuts_otherwise_is_told_apart(mistake, orders):
    for seed in SEEDS:
        verdict = ex.mini_batches.examine(from_orders(orders), seed=seed)
        assert verdict.mistake == mistake, (seed, verdict.message)


def test_a_walk_at_too_many_rates_is_told_to_try_fewer():
    def answer(curvature, beta):
        while True:
            pass

    limit = copy.copy(ex.momentum_limit)
    limit.seconds = 0.2
    message = limit.examine(answer, seed=0).message
    assert "Try fewer rates" in message
    assert "loop that never ends" not in message


@pytest.mark.parametrize("change", [0.01, 1e-6])
def test_a_row_that_is_nearly_one_of_x_is_none(change):
    def answer(x, y, size, rng):
        return [(part + change, labels) for part, labels in ex.batches(x, y, size, rng)]

    message = ex.mini_batches.examine(answer, seed=0).message
    assert "A batch holds a row that is not a row of x." in message


def test_no_sentence_about_batches_gives_the_code_away():
    said = " ".join(mistake.sentence for mistake in ex.mini_batches.mistakes)
    assert "range(" not in said
    assert "[rows]" not in said
