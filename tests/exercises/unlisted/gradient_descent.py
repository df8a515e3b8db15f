"""Wrong answers to the exercises of lesson 3 that are no named mistake."""

from __future__ import annotations

import numpy as np


def shrinks(w, dw, lr):
    return w * (1 - lr)


def sign_of_the_slope(w, dw, lr):
    return w - lr * np.sign(dw)


def singular_for_the_smallest(hessian):
    return 2 / np.linalg.svd(np.abs(hessian), compute_uv=False).max()


def mean_curvature(hessian):
    return 2 / np.linalg.eigvalsh(hessian).mean()


def half_the_velocity(w, dw, m, lr, beta):
    m = beta * m - lr * dw
    return w + m / 2, m


def shares_of_momentum_swapped(w, dw, m, lr, beta):
    m = (1 - beta) * m - lr * dw
    return w + m, m


def square_of_beta(curvature, beta):
    return 2 * (1 + beta**2) / curvature


def root_of_beta(curvature, beta):
    return 2 * (1 + beta) ** 0.5 / curvature


def plain_descent(w, dw, m, v, t, lr):
    return w - lr * dw, m, v


def both_corrected_by_beta_1(w, dw, m, v, t, lr):
    m = 0.9 * m + 0.1 * dw
    v = 0.999 * v + 0.001 * dw**2
    share = 1 - 0.9**t
    return w - lr * (m / share) / (np.sqrt(v / share) + 1e-7), m, v


def one_batch(x, y, size, rng):
    order = rng.permutation(len(x))
    return [(x[order], y[order])]


def first_row_left_out(x, y, size, rng):
    order = 1 + rng.permutation(len(x) - 1)
    cut = [order[start : start + size] for start in range(0, len(order), size)]
    return [(x[rows], y[rows]) for rows in cut]


def reversed_rows(x, y, size, rng):
    x, y = x[::-1], y[::-1]
    return [(x[at : at + size], y[at : at + size]) for at in range(0, len(x), size)]


def always_seed_0(x, y, size, rng):
    order = np.random.default_rng(0).permutation(len(x))
    return [(x[order[at : at + size]], y[order[at : at + size]]) for at in range(0, len(x), size)]


def chance_of_its_own(x, y, size, rng):
    order = np.random.permutation(len(x))
    return [(x[order[at : at + size]], y[order[at : at + size]]) for at in range(0, len(x), size)]


def slopes_in_full(w, dw, m, v, t, lr):
    m = 0.9 * m + dw
    v = 0.999 * v + dw**2
    return w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7), m, v


def a_hundredth_below(curvature, beta):
    return 0.99 * 2 * (1 + beta) / curvature


def rate_off_by_a_ten_thousandth(hessian):
    return 1.9998 / np.linalg.eigvalsh(hessian).max()


def adam_with(correct):
    def answer(w, dw, m, v, t, lr):
        m = 0.9 * m + 0.1 * dw
        v = 0.999 * v + 0.001 * dw**2
        m_hat, v_hat = correct(m, v, t)
        return w - lr * m_hat / (np.sqrt(v_hat) + 1e-7), m, v

    return answer


@adam_with
def correction_of_v_turned(m, v, t):
    return m / (1 - 0.9**t), v / (0.999**t - 1)


@adam_with
def times_t(m, v, t):
    return m / (1 - 0.9 * t), v / (1 - 0.999 * t)


def last_batch_filled_from_the_front(x, y, size, rng):
    order = rng.permutation(len(x))
    rows = np.append(order, order[: 2 - len(x) % 2])
    return [(x[rows[at : at + size]], y[rows[at : at + size]]) for at in range(0, len(rows), size)]


def tail_joined_to_the_last(x, y, size, rng):
    order = rng.permutation(len(x))
    starts = range(size, len(x) - size, size)
    return [(x[rows], y[rows]) for rows in np.split(order, starts[: len(x) // size - 2])]


def blocks_drawn_with_replacement(x, y, size, rng):
    starts = rng.integers(0, len(x) - size, len(x) // size)
    return [(x[at : at + size], y[at : at + size]) for at in starts]


def shuffled_again_elsewhere(x, y, size, rng):
    order = np.random.permutation(rng.permutation(len(x)))
    return [(x[order[at : at + size]], y[order[at : at + size]]) for at in range(0, len(x), size)]


WRONG = {
    "update_rule": [shrinks, sign_of_the_slope],
    "stable_rate": [singular_for_the_smallest, mean_curvature, rate_off_by_a_ten_thousandth],
    "momentum_rule": [half_the_velocity, shares_of_momentum_swapped],
    "momentum_limit": [square_of_beta, root_of_beta, a_hundredth_below],
    "adam_rule": [
        *(plain_descent, both_corrected_by_beta_1, slopes_in_full),
        *(correction_of_v_turned, times_t),
    ],
    "mini_batches": [
        *(one_batch, first_row_left_out),
        *(reversed_rows, always_seed_0, chance_of_its_own),
        *(last_batch_filled_from_the_front, tail_joined_to_the_last),
        *(blocks_drawn_with_replacement, shuffled_again_elsewhere),
    ],
}
