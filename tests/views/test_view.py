"""What every view does: paint when a control moves, say it in words, say what is wrong."""

from __future__ import annotations

import gc
import io
import threading
import weakref

import ipywidgets
import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from amaas_kit.errors import DataError
from amaas_kit.views.view import View


class Sine(View):
    """A sine wave of a chosen frequency."""

    def __init__(self, fails=None):
        self.painted = 0
        self.fails = fails
        self.frequency = ipywidgets.IntSlider(description="frequency", value=2, max=20)
        self.shape = ipywidgets.Dropdown(description="a longer name", options=["sine", "none"])
        self.again = ipywidgets.Button(description="again")
        box = ipywidgets.HBox([self.frequency])
        super().__init__([box, self.shape, self.again])

    def paint(self, figure):
        self.painted += 1
        if self.shape.value == "none":
            raise self.fails
        axis = figure.add_axes((0.1, 0.1, 0.8, 0.8))
        x = np.linspace(0, 1, 100)
        axis.plot(x, np.sin(self.frequency.value * x))
        return f"A sine <of> frequency {self.frequency.value}."


def refusal():
    return DataError("While drawing a wave", "no wave", "a wave has a shape", "choose a shape")


def pixels(view):
    return np.asarray(Image.open(io.BytesIO(view._picture.png)))


def test_a_view_paints_once_when_it_is_made():
    view = Sine()
    assert view.painted == 1
    assert view.sentence == "A sine <of> frequency 2."
    assert repr(view) == "Sine: A sine <of> frequency 2."
    assert pixels(view).shape[:2] == (380, 640)


def test_a_control_in_a_box_paints_again_with_its_new_value():
    view = Sine()
    before = pixels(view)
    view.frequency.value = 9
    assert view.painted == 2
    assert "frequency 9" in view.sentence
    assert (pixels(view) != before).any()
    view.frequency.value = 2
    assert (pixels(view) == before).all()


def test_picture_and_sentence_go_to_the_page_in_one_message(monkeypatch):
    view = Sine()
    sent = []
    monkeypatch.setattr(
        type(view._picture), "send_state", lambda self, key=None: sent.append(set(key))
    )
    view.frequency.value = 3
    assert sent == [{"png", "sentence"}]


def test_the_page_can_find_it_by_its_classes():
    assert set(Sine()._dom_classes) == {"amaas-view", "amaas-Sine"}


def test_a_notebook_stores_the_sentence_and_no_picture():
    bundle = Sine()._repr_mimebundle_()
    assert bundle["text/plain"] == "Sine: A sine <of> frequency 2."
    assert set(bundle) == {"text/plain", "application/vnd.jupyter.widget-view+json"}


def test_a_long_sentence_is_cut_where_it_is_stored():
    view = Sine()
    view._show(b"", "word " * 100)
    assert len(view._repr_mimebundle_()["text/plain"]) == 111


def test_labels_have_room_for_the_longest():
    view = Sine()
    assert view.shape.style.description_width == "7.7em"


def test_an_error_of_the_house_is_said_and_the_old_picture_goes():
    view = Sine(refusal())
    view.shape.value = "none"
    assert view._picture.png == b""
    assert view.sentence == view._picture.sentence
    assert view.sentence == (
        "While drawing a wave: no wave; a wave has a shape. To mend it: choose a shape."
    )
    view.shape.value = "sine"
    assert view._picture.png
    assert view.sentence == "A sine <of> frequency 2."


def test_a_fault_of_the_program_is_said_and_raised():
    view = Sine(ZeroDivisionError("by nought"))
    with pytest.raises(ZeroDivisionError):
        view.shape.value = "none"
    assert view._picture.png == b""
    assert "ZeroDivisionError: by nought" in view.sentence
    with pytest.raises(ZeroDivisionError):
        view.update()


def test_its_figure_shows_the_present_state():
    view = Sine()
    view.frequency.value = 5
    line = view.figure().axes[0].get_lines()[0]
    x, y = line.get_data()
    np.testing.assert_allclose(y, np.sin(5 * x))


def test_a_view_without_paint_says_so():
    with pytest.raises(NotImplementedError, match="Bare does not say how to paint"):
        type("Bare", (View,), {})([])


def test_pyplot_knows_nothing_of_it_and_no_setting_changes():
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams), plt.get_fignums()
    view = Sine()
    view.frequency.value = 7
    assert (dict(mpl.rcParams), plt.get_fignums()) == before


def test_a_painted_figure_is_freed_at_once():
    figures = []

    class Watched(Sine):
        def paint(self, figure):
            figures.append(weakref.ref(figure))
            return super().paint(figure)

    view = Watched()
    for value in range(5):
        view.frequency.value = value
    assert [figure() for figure in figures] == [None] * 6
    assert gc.isenabled()


def test_who_has_switched_the_garbage_collector_off_keeps_it_off():
    gc.disable()
    try:
        Sine()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_after_a_flood_of_values_the_last_is_shown():
    view = Sine()
    for value in [*range(20), 7]:
        view.frequency.value = value
        assert view._picture.sentence == f"A sine <of> frequency {value}."
    at_last = pixels(view)
    view.update()
    assert (pixels(view) == at_last).all()


def test_two_threads_leave_a_picture_with_its_own_sentence():
    view = Sine()
    pictures = {}
    for value in range(2, 8):
        view.frequency.value = value
        pictures[view.sentence] = view._picture.png

    def move(values):
        for value in values:
            view.frequency.value = value

    threads = [threading.Thread(target=move, args=(order,)) for order in ([2, 3, 4], [7, 6, 5])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert view._picture.png == pictures[view._picture.sentence]
    assert view.sentence == f"A sine <of> frequency {view.frequency.value}."
