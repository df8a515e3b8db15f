"""The digit pad: what is drawn is asked about, and every answer or failure is said."""

from __future__ import annotations

import time

import numpy as np
import pytest

from amaas_kit import data
from amaas_kit.errors import AmaasError, DataError, NetworkError, ServingError
from amaas_kit.network import Network, find_activation
from amaas_kit.serving import Client, Prediction
from amaas_kit.views import digit_pad
from amaas_kit.views.digit_pad import DigitPad, draw_drawing

SEVEN = [
    [(0.27, 0.2), (0.4, 0.19), (0.55, 0.18), (0.72, 0.18)],
    [(0.72, 0.18), (0.66, 0.32), (0.58, 0.48), (0.51, 0.64), (0.45, 0.82)],
]

ONE = [[(0.5, 0.1), (0.5, 0.9)]]


@pytest.fixture
def net():
    return Network([64, 16, 10], seed=1)


def always(digit, probability=0.91):
    answer = np.full((1, 10), (1 - probability) / 9)
    answer[0, digit] = probability
    return lambda x: answer


def test_a_new_pad_says_that_nothing_is_drawn(net):
    pad = DigitPad(net)
    assert repr(pad) == "DigitPad: Nothing drawn yet."
    assert (pad.image, pad.probabilities, pad.answer) == (None, None, None)
    bundle, _ = pad._repr_mimebundle_()
    assert bundle["text/plain"] == repr(pad)
    assert set(pad._dom_classes) == {"amaas-view", "amaas-DigitPad"}


def test_a_network_is_asked_with_the_image_of_the_data_room(net):
    pad = DigitPad(net)
    pad.draw(SEVEN)
    np.testing.assert_array_equal(pad.image, data.image_of_strokes(SEVEN))
    expected = find_activation("softmax").value(net.forward(pad.image[None]))[0]
    np.testing.assert_allclose(pad.probabilities, expected, rtol=1e-6)
    assert pad.answer == expected.argmax() == net.predict(pad.image[None])[0]
    assert pad.sentence == (f"The model says {pad.answer}, with probability {expected.max():.2f}.")


def test_what_the_page_draws_is_answered_in_one_message(net, monkeypatch):
    pad = DigitPad(net)
    sent = []
    monkeypatch.setattr(DigitPad, "send_state", lambda self, key=None: sent.append(set(key)))
    pad.set_state({"strokes": [[[0.2, 0.1], [0.8, 0.1]], [[0.5, 0.5]]]})
    assert {"_seen", "_shares", "sentence"} in sent
    assert pad._seen == pad.image.tolist()
    assert pad._shares == pad.probabilities.tolist()


def test_a_network_that_ends_in_softmax_is_not_squashed_twice():
    net = Network([64, 10], activations=["softmax"], seed=2)
    pad = DigitPad(net)
    pad.draw(ONE)
    np.testing.assert_allclose(pad.probabilities, net.forward(pad.image[None])[0], rtol=1e-6)


def test_it_asks_the_network_as_it_is_now(net):
    pad = DigitPad(net)
    pad.draw(ONE)
    net.parameters[-1][3] += 1000
    pad.draw(SEVEN)
    assert pad.answer == 3


def test_clearing_takes_the_answer_away(net):
    pad = DigitPad(net)
    pad.draw(SEVEN)
    pad.draw([])
    assert pad.sentence == "Nothing drawn yet."
    assert pad.image is pad.probabilities is pad.answer is None
    assert pad._seen == pad._shares == []


def test_a_client_is_asked(monkeypatch):
    asked = []

    def predict(self, x):
        asked.append(x)
        return Prediction([4], always(4)(x), None, "digits", "1")

    monkeypatch.setattr(Client, "predict", predict)
    pad = DigitPad(Client("http://127.0.0.1:1"))
    pad.draw(ONE)
    np.testing.assert_array_equal(asked, [[data.image_of_strokes(ONE)]])
    assert pad.sentence == "The model says 4, with probability 0.91."


def test_a_server_that_is_gone_is_said_and_the_drawing_stays():
    pad = DigitPad(Client("http://127.0.0.1:1", timeout=1))
    pad.draw(SEVEN)
    assert "no service answers there" in pad.sentence
    assert pad.strokes == [[list(point) for point in line] for line in SEVEN]
    assert pad._seen
    assert pad.probabilities is pad.answer is None
    assert pad._shares == []


def test_after_a_failure_the_next_answer_is_shown():
    answers = iter([ServingError("While asking", "nobody", "it is gone", "start it"), always(2)])

    def ask(x):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer(x)

    pad = DigitPad(ask)
    pad.draw(SEVEN)
    assert pad.sentence == "While asking: nobody; it is gone. To mend it: start it."
    pad.draw(ONE)
    assert pad.sentence == "The model says 2, with probability 0.91."


def test_a_function_that_fails_is_said():
    pad = DigitPad(lambda x: x[0, 64])
    pad.draw(SEVEN)
    assert "IndexError" in pad.sentence
    assert "it failed, and gave no answer" in pad.sentence


@pytest.mark.parametrize(
    "answer",
    [
        np.full((1, 10), 0.2),
        np.full((1, 9), 1 / 9),
        np.full(10, 0.1),
        np.full((1, 10), np.nan),
        [[1.5, -0.5] + [0.0] * 8],
        [7],
        None,
        "seven",
    ],
)
def test_an_answer_that_is_no_probabilities_is_said(answer):
    pad = DigitPad(lambda x: answer)
    pad.draw(SEVEN)
    assert "an answer is 10 probabilities in one row" in pad.sentence
    assert pad.answer is None


@pytest.mark.parametrize("sizes", [[63, 10], [64, 1], [64, 20, 11]])
def test_a_network_of_other_sizes_is_refused(sizes):
    with pytest.raises(NetworkError, match="64 inputs to 10 outputs"):
        DigitPad(Network(sizes))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_with_weights_that_are_no_numbers_is_refused(net, bad):
    net.parameters[0][3, 3] = bad
    with pytest.raises(NetworkError, match="NaN or infinite"):
        DigitPad(net)


@pytest.mark.parametrize("ask", [None, "http://127.0.0.1:3000", 7])
def test_what_cannot_be_asked_is_refused(ask):
    with pytest.raises(AmaasError, match="neither called nor asked"):
        DigitPad(ask)


def test_a_drawing_that_is_none_is_refused_and_changes_nothing(net):
    pad = DigitPad(net)
    pad.draw(ONE)
    with pytest.raises(DataError, match="two finite numbers"):
        pad.draw([[(0.1, np.nan)]])
    assert pad.strokes == [[[0.5, 0.1], [0.5, 0.9]]]


def test_a_large_network_answers_a_drawing_of_many_points(record_property):
    net = Network([64, 1024, 1024, 10], seed=1)
    pad = DigitPad(net)
    angles = np.linspace(0, 6 * np.pi, 600)
    drawing = [list(zip(0.5 + 0.4 * np.cos(angles), 0.5 + 0.4 * np.sin(angles), strict=True))]
    start = time.perf_counter()
    pad.draw(drawing)
    record_property("answer_of_a_large_network_seconds", time.perf_counter() - start)
    assert pad.answer == net.predict(data.image_of_strokes(drawing)[None])[0]


def test_the_figure_shows_what_the_pad_shows(net):
    pad = DigitPad(net)
    pad.draw(SEVEN)
    paper, seen, answer = draw_drawing(SEVEN, net).axes
    assert [len(line.get_xdata()) for line in paper.get_lines()] == [4, 5]
    np.testing.assert_array_equal(seen.images[0].get_array().ravel(), pad.image)
    heights = [bar.get_height() for bar in answer.patches]
    np.testing.assert_allclose(heights, pad.probabilities)
    assert answer.get_title() == pad.sentence


def test_a_single_point_can_be_seen_in_the_figure(net):
    paper = draw_drawing([[(0.5, 0.5)]], net).axes[0]
    [dot] = paper.get_lines()
    assert dot.get_marker() == "o"


def test_the_figure_of_nothing_says_so(net):
    with pytest.raises(DataError, match="draw a digit first"):
        draw_drawing([], net)


def test_the_page_and_python_name_the_same_things():
    page = digit_pad.DigitPad._esm if isinstance(DigitPad._esm, str) else str(DigitPad._esm)
    for name in ("strokes", "sentence", "_seen", "_shares"):
        assert f'"{name}"' in page


class Refuses:
    def __array__(self, *arguments, **options):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "a NoneType; an answer is 10 probabilities"),
        (np.full((1, 10), np.nan), "shape (1, 10), with numbers that are NaN or infinite"),
        (Refuses(), "a Refuses"),
    ],
)
def test_what_came_back_in_place_of_probabilities_is_said(answer, words):
    pad = DigitPad(lambda x: answer)
    pad.draw([[(0.5, 0.1), (0.5, 0.9)]])
    assert words in pad.sentence


def test_a_page_that_sends_numbers_in_place_of_strokes_is_answered():
    pad = DigitPad(Network([64, 10], seed=1))
    pad.set_state({"strokes": [1, 2]})
    assert "a stroke is a list of points" in pad.sentence


def test_an_empty_stroke_is_passed_over_in_the_figure():
    figure = draw_drawing([[], [(0.5, 0.1), (0.5, 0.9)]], Network([64, 10], seed=1))
    assert len(figure.axes[0].lines) == 1
