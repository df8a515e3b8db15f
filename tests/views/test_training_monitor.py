"""The monitor follows a run, stops it when asked, and says how it ended."""

from __future__ import annotations

import math

import comm
import numpy as np
import pytest

from amaas_kit import data
from amaas_kit.errors import DivergedError
from amaas_kit.network import Network
from amaas_kit.training import SGD, Epoch, fit
from amaas_kit.views import training_monitor
from amaas_kit.views.training_monitor import TrainingMonitor


@pytest.fixture(scope="module")
def split():
    return data.load_digits()


@pytest.fixture
def monitor(monkeypatch):
    """A monitor that paints after every epoch, however fast they come."""
    monkeypatch.setattr(training_monitor, "REST_SECONDS", 0)
    monkeypatch.setattr(training_monitor, "PAINTING_SHARE", math.inf)
    return TrainingMonitor()


def small(seed=1):
    return Network([64, 16, 10], seed=seed)


def train(split, monitor, epochs=3, **settings):
    return fit(
        small(), split, epochs=epochs, seed=1, callbacks=[monitor], progress=False, **settings
    )


def press(monitor, name="once"):
    """What the page sends when the button is pressed: the same press, by two ways."""
    monitor._stop._heard.clear()
    monitor._stop._opened(Line(), {"content": {"data": {"press": name}}})
    monitor._stop._handle_custom_msg({"press": name}, [])


class Line:
    def close(self):
        pass


def pressing(monitor, after):
    """A callback that presses the button, as the page would, after some epochs."""
    return lambda history: press(monitor) if history.epochs == after else None


def test_before_the_first_run_it_says_what_to_do():
    monitor = TrainingMonitor()
    assert repr(monitor) == (
        "TrainingMonitor: No training yet. Pass this monitor to fit: callbacks=[monitor]. "
        "The first run of a session shows its first epoch some seconds late, because TensorFlow is "
        "loaded before it."
    )
    assert not monitor._stop.enabled
    press(monitor)
    assert "No training yet" in monitor.sentence


def test_it_says_each_epoch_and_at_last_how_the_run_ended(split, monitor):
    seen = []
    history = fit(
        *(small(), split),
        epochs=3,
        seed=1,
        callbacks=[monitor, lambda _: seen.append((monitor.sentence, not monitor._stop.enabled))],
        progress=False,
    )
    assert [sentence.split(".")[0] for sentence, _ in seen] == ["Epoch 1", "Epoch 2", "Epoch 3"]
    assert not any(disabled for _, disabled in seen)
    assert monitor.sentence == (
        "Finished after 3 epochs. "
        f"Training: loss {history.loss[-1]:.3g}, accuracy {history.accuracy[-1]:.3f}; "
        f"validation: loss {history.val_loss[-1]:.3g}, accuracy {history.val_accuracy[-1]:.3f}."
    )
    assert not monitor._stop.enabled


def test_its_curves_are_the_historys(split, monitor):
    history = train(split, monitor)
    loss, accuracy = monitor.figure().axes
    drawn = [list(line.get_ydata()) for axis in (loss, accuracy) for line in axis.get_lines()]
    assert [drawn[0], drawn[1], drawn[3], drawn[4]] == [
        *(history.loss, history.val_loss),
        *(history.accuracy, history.val_accuracy),
    ]


def test_values_and_no_validation_make_one_panel(monitor):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    fit(
        *(Network([3, 4, 1], seed=1), data.Dataset(x, x.sum(axis=1))),
        epochs=2,
        callbacks=[monitor],
        progress=False,
    )
    assert len(monitor.figure().axes) == 1
    assert monitor.sentence.startswith("Finished after 2 epochs. Training: loss ")
    assert "accuracy" not in monitor.sentence
    assert "validation" not in monitor.sentence


def test_stop_ends_the_run_after_its_epoch(split, monitor):
    history = fit(
        *(small(), split),
        epochs=50,
        seed=1,
        callbacks=[pressing(monitor, after=4), monitor],
        progress=False,
    )
    assert (history.epochs, history.stopped) == (4, "by callback")
    assert monitor.sentence.startswith("Stopped by you after 4 epochs.")


def test_a_press_is_acknowledged_at_once(split, monitor):
    heard = []
    fit(
        *(small(), split),
        epochs=50,
        callbacks=[monitor, pressing(monitor, 2), lambda _: heard.append(monitor.sentence)],
        progress=False,
    )
    assert "Stopping at the end of this epoch." not in heard[0]
    assert heard[1].endswith("Stopping at the end of this epoch.")


def test_a_press_that_comes_too_late_is_explained_and_spares_the_next_run(split, monitor):
    train(split, monitor, epochs=2)
    press(monitor)
    assert "Finished after 2 epochs." in monitor.sentence
    assert "interrupt the kernel instead" in monitor.sentence
    history = train(split, monitor, epochs=3)
    assert (history.epochs, history.stopped) == (3, "finished")
    assert "interrupt" not in monitor.sentence


def test_a_second_press_after_the_first_has_ended_the_run_is_no_news(split, monitor):
    fit(small(), split, epochs=9, callbacks=[monitor, pressing(monitor, 2)], progress=False)
    press(monitor, "again")
    assert "Stopped by you" in monitor.sentence
    assert "came after the end" not in monitor.sentence


def test_it_follows_a_second_run(split, monitor):
    first = train(split, monitor, epochs=3)
    second = train(split, monitor, epochs=1)
    assert monitor.history is second
    assert first is not second
    assert monitor.sentence.startswith("Finished after 1 epoch. ")


def test_another_callbacks_stop_is_not_taken_for_the_learners(split, monitor):
    fit(
        *(small(), split),
        epochs=9,
        callbacks=[monitor, lambda history: history.epochs == 2],
        progress=False,
    )
    assert monitor.sentence.startswith("Stopped by another callback after 2 epochs.")


def test_early_stopping_says_which_weights_are_kept(split, monitor):
    history = train(split, monitor, epochs=500, patience=1, rule=SGD(0.5))
    assert history.stopped == "early"
    assert f"The model keeps the weights of epoch {history.kept_epoch}." in monitor.sentence
    assert history.kept_epoch == history.epochs - 1


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_is_said(split, monitor):
    with pytest.raises(DivergedError):
        train(split, monitor, rule=SGD(1e30))
    assert monitor.sentence.startswith("Diverged in epoch 1: ")
    assert not monitor._stop.enabled


def test_an_interruption_is_said(split, monitor):
    def interrupt(history):
        if history.epochs == 2:
            raise KeyboardInterrupt

    fit(small(), split, epochs=9, callbacks=[monitor, interrupt], progress=False)
    assert monitor.sentence.startswith("Interrupted after 2 epochs.")


def test_a_failing_callback_leaves_no_run_behind(split, monitor):
    def fail(history):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fit(small(), split, epochs=9, callbacks=[monitor, fail], progress=False)
    assert monitor.sentence.startswith("Ended by an error after 1 epoch.")
    assert not monitor._stop.enabled


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_said(value):
    said = training_monitor.in_words(Epoch(0.5, 0.9, value, 0.1))
    assert said == (
        f"Training: loss 0.5, accuracy 0.900; validation: loss not finite ({value}), "
        "accuracy 0.100."
    )


@pytest.mark.parametrize("message", [None, 5, "x", {}, {"press": None}, {"press": ["once"]}])
def test_a_message_that_is_no_press_stops_nothing(split, monitor, message):
    def send(history):
        monitor._stop._opened(Line(), {"content": {"data": message}})
        monitor._stop._handle_custom_msg(message, [])

    fit(small(), split, epochs=2, callbacks=[monitor, send], progress=False)
    assert monitor.sentence.startswith("Finished after 2 epochs.")


def test_fast_epochs_are_not_slowed_by_painting(split):
    painted = []

    class Counting(TrainingMonitor):
        def paint(self, figure):
            painted.append(1)
            return super().paint(figure)

    monitor = Counting()
    history = train(split, monitor, epochs=100)
    # One before the run, one after it; in between at most one each REST_SECONDS.
    assert len(painted) <= 3 + history.seconds / training_monitor.REST_SECONDS
    assert monitor.sentence.startswith("Finished after 100 epochs.")


def test_a_monitor_that_is_closed_hears_no_more_presses():
    monitor = TrainingMonitor()
    targets = comm.get_comm_manager().targets
    target = monitor._stop._target
    assert target in targets
    monitor.close()
    assert target not in targets
    monitor.close()
