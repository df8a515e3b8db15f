"""Showing things to a learner: in a notebook by MIME type, in plain Python by print."""

from __future__ import annotations

import sys
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


def cell() -> object:
    """Something that is the same object for as long as one cell runs; None without a notebook."""
    shell = _shell()
    if shell is None:
        return None
    # The result of the cell before this one. Counting cells would not do: a client may ask the
    # kernel to keep no history, and then the count stands still.
    return shell.last_execution_result or shell


def _shell() -> Any:
    """IPython's shell, or None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
