"""The figures of lesson 11 show what the contract says and what the service answered."""

import numpy as np
import pytest

from amaas_kit.serving import Contract, Prediction
from amaas_kit.views import package_and_serve as views


def texts(axis):
    return " ".join(text.get_text() for text in axis.texts)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"minimum": 0.0, "maximum": 1.0}, "64 numbers a row, from 0 to 1,"),
        ({"minimum": -2.5}, "64 numbers a row, from -2.5 on,"),
        ({"maximum": 255.0}, "64 numbers a row, up to 255,"),
        ({}, "64 numbers a row, of any size,"),
    ],
)
def test_a_requests_way_says_what_the_contract_says(limits, words):
    contract = Contract(64, "classification", max_rows=2048, **limits)
    shown = texts(views.draw_request(contract).axes[0])
    assert words in shown
    assert "1 to 2,048 rows" in shown


def test_answers_are_the_images_above_the_probabilities():
    rng = np.random.default_rng(0)
    x = rng.random((3, 64)).astype("float32")
    p = rng.dirichlet(np.ones(10), 3)
    labels = p.argmax(axis=1)
    answer = Prediction(labels.tolist(), p, None, "digits", "1")
    figure = views.draw_answers(x, answer, [4, 5, 6])
    images, bars = figure.axes[:3], figure.axes[3:]
    for i in range(3):
        np.testing.assert_array_equal(images[i].images[0].get_array().ravel(), x[i])
        assert images[i].get_title() == f"answer {labels[i]}\ntruth {4 + i}"
        np.testing.assert_allclose([bar.get_height() for bar in bars[i].patches], p[i])
        colours = [bar.get_facecolor() for bar in bars[i].patches]
        assert colours.count(colours[labels[i]]) == 1


def test_waits_are_points_between_three_lines():
    axis = views.draw_waits([3.0, 9.0, 4.0, 5.0, 6.0], 7.0, 50, 0.02).axes[0]
    points, *lines = axis.lines
    np.testing.assert_array_equal(points.get_xdata(), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(points.get_ydata(), [3.0, 9.0, 4.0, 5.0, 6.0])
    assert [line.get_ydata()[0] for line in lines] == [5.0, 7.0, 0.02]
    assert "one request of 50 rows" in [line.get_label() for line in lines]
    assert axis.get_yscale() == "log"


def test_values_stand_against_the_truth_and_its_mean():
    axis = views.draw_values(values=[1.0, 2.5, 2.0], truth=[1.0, 2.0, 3.0]).axes[0]
    exact, mean, points = axis.lines
    np.testing.assert_array_equal(exact.get_xdata(), exact.get_ydata())
    assert mean.get_ydata()[0] == 2.0
    np.testing.assert_array_equal(points.get_xdata(), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(points.get_ydata(), [1.0, 2.5, 2.0])
