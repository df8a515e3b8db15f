"""The gradient checker of lesson 02 tells apart what goes wrong, whatever step was chosen."""

import math

import numpy as np
import pytest

from amaas_kit.exercises import backpropagation as ex
from amaas_kit.exercises.backpropagation import Curve


def differences(up, down):
    """An answer that moves each entry by so much to either side."""

    def gradient_by_nudging(f, w):
        steps = np.eye(len(w))
        rises = [f(w + up * step) - f(w - down * step) for step in steps]
        return np.array(rises) / (up + down)

    return gradient_by_nudging


def judged(answer):
    verdicts = [ex.gradient_checker.examine(answer, seed=seed) for seed in range(5)]
    assert len({(verdict.outcome, verdict.mistake) for verdict in verdicts}) == 1
    return verdicts[0]


@pytest.mark.parametrize("step", [1e-4, 3e-5, 1e-5, 6e-6, 1e-6, 1e-7])
def test_central_differences_pass_with_every_sensible_step(step):
    assert judged(differences(step, step)).outcome == "correct"


@pytest.mark.parametrize("step", [1e-1, 1e-2, 1e-3])
def test_a_long_step_is_named(step):
    assert judged(differences(step, step)).mistake == "step_too_large"


@pytest.mark.parametrize("step", [1e-8, 1e-9, 1e-10, 1e-12, 1e-13])
def test_a_short_step_is_named_whether_to_one_side_or_two(step):
    for down in (0.0, step):
        assert judged(differences(step, down)).mistake == "step_too_small"


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
def test_one_side_never_passes_and_is_named(step):
    assert judged(differences(step, 0.0)).mistake == "one_sided"
    assert judged(differences(0.0, step)).mistake == "one_sided_downwards"


@pytest.mark.parametrize("step", [1e-4, 1e-5, 1e-6])
def test_entries_that_stay_moved_are_named(step):
    def gradient_by_nudging(f, w):
        moved, slopes = w.copy(), np.zeros_like(w)
        for i in range(len(w)):
            moved[i] += step
            above = f(moved)
            moved[i] -= 2 * step
            slopes[i] = (above - f(moved)) / (2 * step)
        return slopes

    assert judged(gradient_by_nudging).mistake == "entries_stay_moved"


def test_zeros_are_no_proof_of_a_short_step():
    def gradient_by_nudging(f, w):
        slopes = np.zeros_like(w)
        for i in range(len(w)):
            up = w.copy()
            down = up
            up[i] += 6e-6
            down[i] -= 6e-6
            slopes[i] = (f(up) - f(down)) / 1.2e-5
        return slopes

    verdict = judged(gradient_by_nudging)
    assert verdict.mistake == "same_numbers_twice"
    assert "makes no second copy" in verdict.message


@pytest.mark.parametrize("step", [1e-4, 1e-5, 1e-6, 1e-7])
def test_copies_made_before_the_loop_are_named_on_one_side_too(step):
    def gradient_by_nudging(f, w):
        moved, slopes, before = w.copy(), np.zeros_like(w), f(w)
        for i in range(len(w)):
            moved[i] += step
            slopes[i] = (f(moved) - before) / step
        return slopes

    assert judged(gradient_by_nudging).mistake == "moves_pile_up"
    assert judged(lambda f, w: -differences(step, step)(f, w)).mistake == "sign"


def test_a_function_that_gets_one_entry_says_so():
    def gradient_by_nudging(f, w):
        def central(x, h=1e-5):
            return (f(x + h) - f(x - h)) / (2 * h)

        return np.array([central(entry) for entry in w])

    assert judged(gradient_by_nudging).mistake == "entry_alone"


def test_too_few_digits_and_no_slope_at_all_are_said():
    right = ex.gradient_checker.answer
    assert "float16" in judged(lambda f, w: right(f, w).astype("float16")).message
    assert "list" in judged(lambda f, w: right(f, w).tolist()).message
    assert "(3, 1)" in ex.gradient_checker.examine(lambda f, w: right(f, w)[:, None], 1).message
    assert "rounded away" in judged(differences(1e-18, 1e-18)).message


def test_f_shows_nothing_but_its_values():
    f = ex.gradient_checker.draw(np.random.default_rng(1))["f"]
    assert [name for name in dir(f) if not name.startswith("_")] == []
    for name in ("derivative", "rates"):
        assert judged(lambda f, w, name=name: getattr(f, name)(w, 1)).outcome == "not yet"


def in_float32(f, w):
    slopes = np.zeros(len(w), dtype="float32")
    slopes[:] = ex.gradient_checker.answer(f, w)
    return slopes


def in_a_list_of_float32(f, w):
    return list(in_float32(f, w))


def in_float16(f, w):
    return in_float32(f, w).astype("float16")


@pytest.mark.parametrize("answer", [in_float32, in_a_list_of_float32, in_float16])
def test_right_slopes_with_too_few_digits_are_told_only_that(answer):
    assert judged(answer).mistake == "too_few_digits"


def test_a_list_of_right_slopes_is_told_only_that_it_is_a_list():
    verdict = judged(lambda f, w: ex.gradient_checker.answer(f, w).tolist())
    assert verdict.mistake is None
    assert "The result is a list" in verdict.message


def test_another_mistake_is_still_named_in_float32():
    assert judged(lambda f, w: -in_float32(f, w)).mistake == "sign"


def moved_all_at_once(f, w):
    return (f(w + 1e-5) - f(w - 1e-5)) / 2e-5


def added_up(f, w):
    return ex.gradient_checker.answer(f, w).sum()


@pytest.mark.parametrize("answer", [moved_all_at_once, added_up])
def test_one_number_may_have_come_about_in_either_way(answer):
    verdict = judged(answer)
    assert verdict.mistake == "one_number"
    assert "either all entries moved at once, or the slopes were added up" in verdict.message


def test_an_array_of_steps_that_is_never_reset_is_told_of_the_steps():
    def gradient_by_nudging(f, w):
        steps, slopes = np.zeros_like(w), np.zeros_like(w)
        for i in range(len(w)):
            steps[i] = 1e-5
            slopes[i] = (f(w + steps) - f(w - steps)) / 2e-5
        return slopes

    verdict = judged(gradient_by_nudging)
    assert verdict.mistake == "moves_pile_up"
    assert "an array of steps" in verdict.message


@pytest.mark.parametrize("step", [1e-3, 1e-5, 1e-8])
def test_missing_brackets_are_named_whatever_the_step(step):
    def multiplied(f, w):
        steps = step * np.eye(len(w))
        return np.array([(f(w + one) - f(w - one)) / 2 * step for one in steps])

    def one_value_divided(f, w):
        steps = step * np.eye(len(w))
        return np.array([f(w + one) - f(w - one) / (2 * step) for one in steps])

    assert judged(multiplied).mistake == "multiplied_by_step"
    assert judged(one_value_divided).mistake == "one_value_divided"


@pytest.mark.parametrize("shorten", [lambda all_of: all_of[:1], lambda all_of: float(all_of[0])])
def test_return_in_the_loop_is_named_in_each_form(shorten):
    right = ex.gradient_checker.answer
    assert judged(lambda f, w: shorten(right(f, w))).mistake == "first_pass_only"


def test_a_message_asks_for_w_to_the_last_digit():
    def gradient_by_nudging(f, w):
        slopes = np.zeros_like(w)
        for i in range(len(w)):
            w[i] += 1e-5
            above = f(w)
            w[i] -= 2e-5
            slopes[i] = (above - f(w)) / 2e-5
            w[i] += 1e-5
        return slopes

    verdict = judged(gradient_by_nudging)
    assert (verdict.outcome, verdict.mistake) == ("not yet", None)
    assert "to the last digit" in verdict.message


def test_the_derivatives_of_the_curve_are_those_of_its_formula():
    f, w = Curve((2.5, -3.5, 3.0)), np.array([0.3, -0.2, 0.1])
    assert f(w) == pytest.approx(400 + math.exp(0.75) + math.exp(0.7) + math.exp(0.3) + 0.2**2)
    h, steps = 1e-2, np.eye(3)
    for i in range(3):
        values = [f(w + k * h * steps[i]) for k in (-2, -1, 0, 1, 2)]
        first = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * h)
        second = (values[1] - 2 * values[2] + values[3]) / h**2
        third = (values[4] - 2 * values[3] + 2 * values[1] - values[0]) / (2 * h**3)
        found = [f.derivative(w, order)[i] for order in (1, 2, 3)]
        assert found == pytest.approx([first, second, third], rel=5e-3)
