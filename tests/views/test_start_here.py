"""The figures of lesson 00 show the digits, the answer and the findings that they were given."""

import dataclasses

import numpy as np
import pytest

from amaas_kit.data import load_digits
from amaas_kit.doctor import Finding
from amaas_kit.views import start_here as views


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_the_arc_names_every_step_of_the_lesson_in_its_order():
    axis = views.draw_arc().axes[0]
    boxes = [text for text in axis.texts if text.get_bbox_patch()]
    names = [text.get_text().split("\n")[0] for text in boxes]
    assert names == ["Load", "Train", "Evaluate", "Package", "Serve", "Ask"]
    places = [text.get_position()[0] for text in boxes]
    assert places == sorted(places)
    assert [words for words in texts(axis) if words[:2] in ("1.", "2.", "3.", "4.")] == [
        "1. train and build", "2. deploy", "3. one interface", "4. monitor and manage",
    ]  # fmt: skip


def test_digits_are_drawn_with_their_labels():
    data = load_digits().train
    axes = views.draw_digits(data, count=4).axes
    assert [axis.get_title() for axis in axes] == [str(y) for y in data.y[:4]]
    for axis, x in zip(axes, data.x, strict=False):
        np.testing.assert_array_equal(axis.images[0].get_array().ravel(), x)


def test_fewer_digits_than_asked_for_leave_no_gaps():
    data = load_digits().train
    few = dataclasses.replace(data, x=data.x[:3], y=data.y[:3])
    axes = views.draw_digits(few).axes
    assert len(axes) == 3
    assert all(axis.images for axis in axes)


def test_the_answers_bars_are_its_probabilities():
    p = np.full(10, 0.05)
    p[7] = 0.55
    image, bars = views.draw_answer(np.linspace(0, 1, 64), p).axes
    assert image.images[0].get_array()[0, 1] == pytest.approx(1 / 63)
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(list(p))
    colours = [bar.get_facecolor() for bar in bars.patches]
    assert [colours.count(colour) for colour in (colours[7], colours[0])] == [1, 9]


@pytest.mark.parametrize("count", [1, 5, 29, 40])
def test_each_finding_has_its_name_and_the_mark_of_its_status(count):
    statuses = ["ok", "note", "problem"]
    findings = [Finding(f"thing {i}", statuses[i % 3], "seen") for i in range(count)]
    figure = views.draw_findings(findings)
    axis = figure.axes[0]
    assert texts(axis) == [f"thing {i}" for i in range(count)]
    for marks, status in zip(axis.collections, statuses, strict=True):
        assert marks.get_label() == f"{status}: {sum(one.status == status for one in findings)}"
        beside = {tuple(place) for place in marks.get_offsets()}
        named = {
            (text.get_position()[0] - 0.07, text.get_position()[1])
            for text, one in zip(axis.texts, findings, strict=True)
            if one.status == status
        }
        assert {(round(x, 6), y) for x, y in named} == beside
    assert all(y < axis.get_ylim()[0] for *_, y in (text.get_position() for text in axis.texts))
