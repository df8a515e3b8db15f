"""Draw a digit and have a model answer. Taught in: notebooks/00_start_here, Draw your own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amaas_kit.data.arrays import Floats
from amaas_kit.data.bitmap import Strokes, image_of_strokes
from amaas_kit.errors import AmaasError, NetworkError
from amaas_kit.network import Network, find_activation
from amaas_kit.serving.client import Client
from amaas_kit.session import COLOURS
from amaas_kit.views.view import in_one_line

Probabilities = npt.NDArray[np.float64]

Ask = Network | Client | Callable[[Floats], Any]
"""Who is asked: for the rows (1, 64), a function answers with probabilities (1, 10)."""

PIXELS, DIGITS = 64, 10

NOTHING = "Nothing drawn yet."


class DigitPad(anywidget.AnyWidget):
    """A paper to draw a digit on, what a model sees of it, and what it answers.

    Draw with the mouse, a finger or a pen; or with the keyboard: arrow keys move the pen, two of
    them at once aslant, Space puts it down or lifts it, Delete clears. What was drawn is brought to
    the form of the data (`amaas_kit.data.image_of_strokes`), then the model is asked. When asking
    fails, the pad says why and keeps the drawing.

    Args:
        ask: a Network of 64 inputs and 10 outputs, a `amaas_kit.serving.Client`, or a function
            that takes rows (1, 64) and gives probabilities (1, 10).

    Attributes:
        strokes: what is drawn; lines of points (x, y) from 0 to 1, from the top left.
        image: (64,) float32 that the model was asked about; None while nothing is drawn.
        probabilities: (10,) of the digits 0 to 9; None while there is no answer.
        answer: the most probable digit; None likewise.
        sentence: the answer, or what prevents it, in words.

    Raises:
        NetworkError: a network of other sizes, or with weights that are not finite.
        AmaasError: nothing that could be asked.

    Taught in: notebooks/00_start_here, Draw your own.
    """

    _esm = Path(__file__).with_name("digit_pad.js")
    _css = Path(__file__).with_name("digit_pad.css")
    strokes: Any = traitlets.List().tag(sync=True)
    sentence = traitlets.Unicode(NOTHING).tag(sync=True)
    _seen: Any = traitlets.List().tag(sync=True)
    _shares: Any = traitlets.List().tag(sync=True)

    image: Floats | None
    probabilities: Probabilities | None
    answer: int | None

    def __init__(self, ask: Ask) -> None:
        self._ask = asking(ask)
        self._looking = threading.RLock()
        self.image = self.probabilities = self.answer = None
        super().__init__()
        self.add_class("amaas-view")
        self.add_class("amaas-DigitPad")
        self.observe(self._look, "strokes")

    def draw(self, strokes: Strokes) -> None:
        """Draw on the pad in place of what is there, and ask.

        Args:
            strokes: lines of points (x, y), from 0 to 1 from the top left; [] clears.

        Raises:
            DataError: a point is not two finite numbers.
        """
        if len(strokes):
            image_of_strokes(strokes)
        self.strokes = [[list(map(float, point)) for point in line] for line in strokes]

    def _look(self, _: object) -> None:
        with self._looking:
            self.image = self.probabilities = self.answer = None
            sentence = self._say()
            with self.hold_sync():
                self._seen = [] if self.image is None else self.image.tolist()
                self._shares = [] if self.probabilities is None else self.probabilities.tolist()
                self.sentence = sentence

    def _say(self) -> str:
        if not any(self.strokes):
            return NOTHING
        try:
            self.image = image_of_strokes(self.strokes)
            self.probabilities = self._ask(self.image)
        except AmaasError as error:
            return in_one_line(error)
        self.answer = int(self.probabilities.argmax())
        return in_words(self.probabilities)

    def __repr__(self) -> str:
        return f"DigitPad: {self.sentence}"


def draw_drawing(strokes: Strokes, ask: Ask) -> Figure:
    """A drawing, what a model sees of it, and what it answers: the pad's content as a figure.

    Args:
        strokes: as for `DigitPad.draw`.
        ask: as for `DigitPad`.

    Raises:
        DataError: nothing is drawn, or a point is not two finite numbers.
        AmaasError: as for `DigitPad`, or there was no answer.

    Taught in: notebooks/00_start_here, Draw your own.
    """
    image = image_of_strokes(strokes)
    probabilities = asking(ask)(image)
    figure, (paper, seen, answer) = plt.subplots(
        1, 3, figsize=(8.4, 2.7), width_ratios=(1, 1, 1.6), layout="constrained"
    )
    for line in filter(len, strokes):
        x, y = np.asarray(line, np.float64).T
        paper.plot(
            x,
            y,
            color="black",
            linewidth=8,
            marker="o" if len(line) == 1 else "",
            markersize=8,
            solid_capstyle="round",
            solid_joinstyle="round",
        )
    paper.set(title="drawn", xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[], aspect="equal")
    draw_image(seen, image)
    seen.set_title("what the model sees")
    draw_probabilities(answer, probabilities)
    answer.set_title(in_words(probabilities), fontsize=10)
    for axis in (paper, seen):
        axis.grid(visible=False)
        axis.spines[:].set_visible(True)
    return figure


def draw_image(axis: Axes, image: npt.ArrayLike) -> None:
    """The 8 x 8 pixels of an image, dark where its numbers are large."""
    axis.imshow(np.asarray(image).reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])


def draw_probabilities(axis: Axes, probabilities: npt.ArrayLike) -> None:
    """A bar for each digit, the most probable in another colour and with its number."""
    p = np.asarray(probabilities, np.float64)
    best = int(p.argmax())
    colours = [COLOURS[1] if digit == best else COLOURS[0] for digit in range(len(p))]
    axis.bar(range(len(p)), p, color=colours)
    axis.annotate(f"{p[best]:.2f}", (best, p[best]), ha="center", va="bottom")
    axis.set(xlabel="digit", ylabel="probability", xticks=range(len(p)), ylim=(0, 1.12))


def in_words(probabilities: Probabilities) -> str:
    """The most probable digit, in a sentence."""
    best = int(probabilities.argmax())
    return f"The model says {best}, with probability {probabilities[best]:.2f}."


def asking(ask: Ask) -> Callable[[Floats], Probabilities]:
    """The function that asks for one image (64,) and gives its probabilities (10,).

    Raises:
        NetworkError: a network of other sizes, or with weights that are not finite.
        AmaasError: nothing that could be asked; the function itself raises it when what is asked
            fails or answers with something else.
    """
    if isinstance(ask, Network):
        _require_digits(ask)
        return lambda image: _checked(_probabilities(ask, image[None]))
    if isinstance(ask, Client):
        return lambda image: _checked(ask.predict(image[None]).probabilities)
    if callable(ask):
        return lambda image: _checked(_call(ask, image[None]))
    raise AmaasError(
        situation="While making a digit pad",
        seen=f"ask={ask!r}",
        wrong="it can be neither called nor asked",
        fix="pass a Network, a Client, or a function from rows (1, 64) to probabilities (1, 10)",
    )


def _require_digits(net: Network) -> None:
    ends = net.sizes[0], net.sizes[-1]
    if ends != (PIXELS, DIGITS):
        raise NetworkError(
            situation="While making a digit pad",
            seen=f"a network of the sizes {net.sizes}",
            wrong=f"a drawing has {PIXELS} pixels, and there are {DIGITS} digits to answer",
            fix=f"pass a network from {PIXELS} inputs to {DIGITS} outputs",
        )
    if not all(np.isfinite(array).all() for array in net.parameters):
        raise NetworkError(
            situation="While making a digit pad",
            seen="weights or biases that are NaN or infinite",
            wrong="such a network answers NaN to whatever is drawn",
            fix="train it anew with a smaller rate, or load a model that was saved before",
        )


def _probabilities(net: Network, x: Floats) -> npt.NDArray[Any]:
    outputs = net.forward(x)
    if net.activations[-1] == "softmax":
        return outputs
    return find_activation("softmax").value(outputs)


def _call(ask: Callable[[Floats], Any], x: Floats) -> Any:
    try:
        return ask(x)
    except AmaasError:
        raise
    except Exception as error:
        raise AmaasError(
            situation="While asking your function",
            seen=f"{type(error).__name__}: {error}",
            wrong="it failed, and gave no answer",
            fix="call it with numpy.zeros((1, 64), 'float32') to see where",
        ) from error


def _checked(answer: Any) -> Probabilities:
    """The probabilities of the one row; or what is wrong with them."""
    try:
        p = np.asarray(answer, np.float64)
    except Exception:
        p = np.empty(0)
    if p.shape == (1, DIGITS) and (p >= 0).all() and abs(p.sum() - 1) < 1e-3:
        return p.ravel()
    raise AmaasError(
        situation="While asking what was drawn",
        seen=_seen(answer, p),
        wrong=f"an answer is {DIGITS} probabilities in one row, each 0 or more, their sum 1",
        fix="apply softmax to logits; ask a model of the ten digits",
    )


def _seen(answer: Any, p: npt.NDArray[Any]) -> str:
    """An answer that is none, in words; `p` is what could be read of it."""
    if not p.ndim or not p.size:
        return f"a {type(answer).__name__}"
    if not np.isfinite(p).all():
        return f"shape {p.shape}, with numbers that are NaN or infinite"
    return f"shape {p.shape}, from {p.min():.3g} to {p.max():.3g}"
