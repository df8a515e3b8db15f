"""Showing things to a learner: in a notebook by MIME type, in plain Python by print."""

from __future__ import annotations

import sys
import weakref
from typing import Any


def show(text: str, html: str | None = None, markdown: str | None = None) -> None:
    """Show one thing in the richest form that can be shown here.

    Args:
        text: plain text, for a terminal and for comparing notebooks.
        html: the same for a notebook.
        markdown: the same for a notebook, as Markdown.
    """
    shell = _shell()
    if shell is None:
        print(text)
        return
    from IPython.display import display

    bundle = {"text/plain": text, "text/html": html, "text/markdown": markdown}
    display({kind: said for kind, said in bundle.items() if said is not None}, raw=True)  # type: ignore[no-untyped-call]


def cell() -> Cell | None:
    """The cell that runs now; None without a notebook."""
    shell = _shell()
    # The result of the cell before tells cells apart. Counting them would not do: a client may ask
    # the kernel to keep no history, and then the count stands still.
    return None if shell is None else weakref.ref(shell.last_execution_result or shell)


Cell = weakref.ReferenceType[Any]
"""References to one thing are equal, and stay so when it is gone."""


def _shell() -> Any:
    """IPython's shell, or None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
