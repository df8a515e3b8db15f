"""Watch a training run while it runs, and stop it."""

from __future__ import annotations

import math
import time

import ipywidgets
from matplotlib.figure import Figure

from amaas_kit.training.history import Epoch, History
from amaas_kit.views.stop_button import StopButton
from amaas_kit.views.view import View

REST_SECONDS = 0.2
"""So long the picture stands still at least."""

PAINTING_SHARE = 0.1
"""At most this share of the time goes into painting, unless the picture would stand too long."""

LONGEST_REST_SECONDS = 1.0
"""So long the picture stands still at most, where an epoch is not longer."""

WAITING = (
    "No training yet. Pass this monitor to fit: callbacks=[monitor]. The first run of a session "
    "shows its first epoch some seconds late, because TensorFlow is loaded before it."
)

NOTE = "ends the run after its epoch; interrupting the kernel stops it too"

STOPPING = "Stopping at the end of this epoch."

TOO_LATE = (
    "Your click on Stop came after the end. Where that happens each time, the page holds clicks "
    "back while a cell runs: interrupt the kernel instead; the model keeps what it has learnt."
)

PLACES = {1: [(0.12, 0.17, 0.86, 0.70)], 2: [(0.12, 0.17, 0.36, 0.70), (0.62, 0.17, 0.36, 0.70)]}
"""Where the panels stand in the picture, by their number."""


class TrainingMonitor(View):
    """Loss and accuracy of a run, epoch by epoch while `fit` runs, with a button that stops it.

    Show it in a cell, then pass it to fit: `ak.training.fit(net, split, callbacks=[monitor])`.
    It follows one run after the other. The button works where the page's messages reach the kernel
    while a cell runs: in JupyterLab from 4.4 on with ipykernel 7. Elsewhere, interrupt the kernel:
    fit returns then as well, and the model keeps what it has learnt.

    Attributes:
        history: of the run that it follows, or followed last; None before the first.

    Taught in: notebooks/04_first_network, Watch it.
    """

    history: History | None

    def __init__(self) -> None:
        self.history = None
        self._running = False
        self._asked = False
        self._too_late = False
        self._next_painting = 0.0
        self._stop = StopButton(self._pressed)
        super().__init__([self._stop, ipywidgets.Label(NOTE)], size=(7.2, 3.0))

    def __call__(self, history: History) -> bool:
        """Look at the run after an epoch, as a callback of `fit`; whether it is to stop."""
        if not self._running or history is not self.history:
            self._begin(history)
        if time.perf_counter() >= self._next_painting:
            began = time.perf_counter()
            self.update()
            painted = time.perf_counter()
            rest = max(REST_SECONDS, (painted - began) / PAINTING_SHARE)
            rest = min(rest, LONGEST_REST_SECONDS)
            self._next_painting = painted + rest
        return self._asked

    def ended(self, history: History) -> None:
        """Show how the run ended; `fit` calls this at its end, whatever that was."""
        self.history = history
        self._running = False
        self._stop.enabled = False
        self.update()

    def paint(self, figure: Figure) -> str:
        """The curves so far, and the figures of the last epoch in words."""
        history = self.history
        if history is None:
            return WAITING
        if history.epochs:
            places = PLACES[len(history.panels)]
            history.draw([figure.add_axes(place) for place in places])
        return " ".join(self._sentences(history))

    def _begin(self, history: History) -> None:
        self.history = history
        self._running = True
        self._asked = self._too_late = False
        self._next_painting = 0.0
        self._stop.enabled = True

    def _pressed(self) -> None:
        if self._running:
            self._asked = True
        else:
            self._too_late = self.history is not None and not self._asked
        self.update()

    def _sentences(self, history: History) -> list[str]:
        said = [f"Epoch {history.epochs}." if self._running else ending(history, self._asked)]
        if history.records:
            said.append(in_words(history.records[-1]))
        if self._running and self._asked:
            said.append(STOPPING)
        if self._too_late:
            said.append(TOO_LATE)
        return said


def ending(history: History, asked: bool) -> str:
    """How a run ended, in a sentence.

    Args:
        history: after `fit` has come back, or failed.
        asked: whether the learner pressed Stop.
    """
    epochs = history.epochs
    count = f"{epochs} epoch" + "s" * (epochs != 1)
    endings = {
        "finished": f"Finished after {count}.",
        "early": f"Stopped early after {count}: the validation loss shrank no more. "
        f"The model keeps the weights of epoch {history.kept_epoch}.",
        "by callback": f"Stopped by you after {count}."
        if asked
        else f"Stopped by another callback after {count}.",
        "interrupted": f"Interrupted after {count}. The model keeps what it has learnt.",
        "diverged": f"Diverged in epoch {epochs + 1}: the loss or a weight became infinite or NaN. "
        f"The model keeps the weights of epoch {epochs}.",
        "running": f"Ended by an error after {count}.",
    }
    return endings[history.stopped]


def in_words(epoch: Epoch) -> str:
    """The figures of an epoch: in training, and in validation where there was one."""
    parts = [_part("Training", epoch.loss, epoch.accuracy)]
    if epoch.val_loss is not None:
        parts.append(_part("validation", epoch.val_loss, epoch.val_accuracy))
    return "; ".join(parts) + "."


def _part(name: str, loss: float, accuracy: float | None) -> str:
    said = f"loss {loss:.3g}" if math.isfinite(loss) else f"loss not finite ({loss})"
    share = "" if accuracy is None else f", accuracy {accuracy:.3f}"
    return f"{name}: {said}{share}"
