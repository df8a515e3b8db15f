"""One call that makes a lesson repeatable, and one that brings TensorFlow in quietly."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from amaas_kit.errors import MissingError

if TYPE_CHECKING:
    import numpy as np

_pending_seed: int | None = None
"""The seed of the last `setup` that TensorFlow has not been given yet."""

PLOT_STYLE: dict[Any, Any] = {
    "figure.figsize": (7.0, 4.0),
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.alpha": 0.3,
    "savefig.bbox": "tight",
    "image.cmap": "gray_r",
}

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""


def setup(seed: int = 0) -> np.random.Generator:
    """Seed the session, set the plot style and return a NumPy generator. Imports no TensorFlow.

    Args:
        seed: of the generator that is returned, and of TensorFlow when `tensorflow()` loads it.

    Returns:
        A `numpy.random.Generator`, the only source of randomness a lesson needs.
    """
    import matplotlib as mpl
    import numpy as np
    from cycler import cycler

    global _pending_seed
    _pending_seed = seed
    mpl.rcParams.update(PLOT_STYLE)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=list(COLOURS))
    return np.random.default_rng(seed)


def tensorflow() -> Any:
    """TensorFlow, imported without its start-up log and seeded by the last `setup`.

    Returns:
        The `tensorflow` module.

    Raises:
        MissingError: TensorFlow is not installed, or cannot be loaded on this machine.
    """
    global _pending_seed
    loaded = "tensorflow" in sys.modules
    tf = importlib.import_module("tensorflow") if loaded else _import_quietly()
    if _pending_seed is not None:
        tf.keras.utils.set_random_seed(_pending_seed)
        _pending_seed = None
    return tf


def _import_quietly() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryFile() as log:
        try:
            with _stderr_into(log.fileno()):
                tf = importlib.import_module("tensorflow")
                tf.config.list_physical_devices()
                tf.get_logger().setLevel("WARNING")  # in a notebook TensorFlow says more
        except ImportError as error:
            log.seek(0)
            said = log.read().decode(errors="replace").strip()
            raise MissingError(
                situation="While loading TensorFlow",
                seen=f"{error}" + (f"\n{said}" if said else ""),
                wrong="TensorFlow is not installed here, or a library that it needs is missing",
                fix="run `amaas doctor`; it names the command that mends this machine",
            ) from error
    return tf


@contextlib.contextmanager
def _stderr_into(descriptor: int) -> Iterator[None]:
    """Send file descriptor 2, where TensorFlow's C++ code writes, to another file for a while."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        os.dup2(descriptor, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
