"""What all views share: controls, below them a picture, below it a sentence with its numbers."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from amaas_kit.errors import AmaasError
from amaas_kit.views.picture import Picture, empty_figure, png_of

LETTER = 0.55
"""About how many times its height a letter of a label is wide."""


class View(ipywidgets.VBox):  # type: ignore[misc]
    """A picture of a room's numbers that follows its controls.

    A subclass draws in `paint`; all else happens here: the picture is painted once at the start,
    and again whenever the `value` of a control changes.

    Args:
        controls: sliders, buttons, menus; each with a description, which is its label. A box of
            several counts as one.
        size: of the picture, width and height in inches.

    Attributes:
        sentence: what the picture shows now, in words. It stands below the picture, and is its alt
            text and what `repr` shows.
    """

    sentence: str

    def __init__(
        self, controls: Sequence[ipywidgets.Widget], size: tuple[float, float] = (6.4, 3.8)
    ) -> None:
        self.sentence = ""
        self._size = size
        self._painting = threading.RLock()
        self._picture = Picture()
        _line_up(controls)
        row = ipywidgets.Box(list(controls), layout={"flex_flow": "row wrap"})
        super().__init__([row, self._picture])
        self.add_class("amaas-view")
        self.add_class(f"amaas-{type(self).__name__}")
        for control in leaves(controls):
            control.observe(self.update, "value")
        self.update()

    def paint(self, figure: Figure) -> str:
        """Draw the present state into an empty figure, and say it in a sentence.

        Args:
            figure: without axes; give them fixed places with `figure.add_axes`, because a layout
                that is computed takes longer than the drawing.

        Returns:
            The numbers of the picture in plain words.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to paint")

    def update(self, change: object = None) -> None:
        """Paint again. An error of the house becomes the sentence, without a picture.

        Any other error is a fault of the program: the sentence names it, and it is raised.

        Args:
            change: what ipywidgets says of a control that changed.
        """
        with self._painting, clean_up():
            try:
                png, sentence = self._painted()
            except AmaasError as error:
                self._show(b"", in_one_line(error))
            except Exception as error:
                name = f"{type(error).__name__}: {error}"
                self._show(b"", f"A fault in this view. {name} (view.update() shows where)")
                raise
            else:
                self._show(png, sentence)

    def _painted(self) -> tuple[bytes, str]:
        figure = empty_figure(self._size)
        sentence = self.paint(figure)
        return png_of(figure), sentence

    def figure(self) -> Figure:
        """The present state as a figure of its own, painted afresh."""
        with self._painting:
            figure = empty_figure(self._size)
            self.paint(figure)
            return figure

    def exchange(self, old: ipywidgets.Widget, new: ipywidgets.Widget) -> None:
        """Put a control in the place of another, which is closed.

        For a slider with a new range: the one on the page would keep its old range for the keys
        Home and End.
        """
        row = self.children[0]
        new.style = old.style
        new.observe(self.update, "value")
        row.children = [new if control is old else control for control in row.children]
        old.close()

    def close(self) -> None:
        """Take the view off the page, and free it and its parts."""
        for part in leaves(self.children):
            part.close()
        super().close()

    def _show(self, png: bytes, sentence: str) -> None:
        self.sentence = sentence
        self._picture.show(png, sentence)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.sentence}"


@contextlib.contextmanager
def clean_up() -> Iterator[None]:
    """Run a block that paints, and free its figures as soon as it is over.

    The parts of a figure refer to each other, so they wait for Python's garbage collector. If that
    runs amid a painting, it takes the figure for something that stays. Then figures pile up, until
    all objects in the kernel are searched at once, for 0.1 s and more, while a slider is dragged.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
            gc.collect(0)


def in_one_line(error: AmaasError) -> str:
    """The four parts of an error of the house, as sentences in one line."""
    return f"{error.situation}: {error.seen}; {error.wrong}. To mend it: {error.fix}."


def leaves(controls: Sequence[ipywidgets.Widget]) -> Iterator[Any]:
    """The controls themselves, without the boxes that hold some of them."""
    for control in controls:
        if isinstance(control, ipywidgets.Box):
            yield from leaves(control.children)
        else:
            yield control


def _line_up(controls: Sequence[ipywidgets.Widget]) -> None:
    """Give all labels the width of the longest, so that none is cut off."""
    labelled = [
        control
        for control in controls
        if control.has_trait("style") and control.style.has_trait("description_width")
    ]
    longest = max((len(control.description) for control in labelled), default=0)
    for control in labelled:
        control.style.description_width = f"{LETTER * longest + 0.5:.2g}em"
