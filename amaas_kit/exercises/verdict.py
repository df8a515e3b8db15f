"""What a check says: one of three outcomes, and why; or that it cannot judge on this machine."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Literal

from amaas_kit.exercises import screen

Outcome = Literal["not attempted", "not checked", "not yet", "correct"]

_COLOURS = {
    "not attempted": "#8c8c8c",
    "not checked": "#8c8c8c",
    "not yet": "#D55E00",
    "correct": "#009E73",
}
"""Of the border: each can be told from a white and from a black page. The words say the same."""

_CODE = "margin: 2px 0 6px 16px; font-family: var(--jp-code-font-family, monospace)"

_HEADINGS = {
    "not attempted": "Not attempted",
    "not checked": "Not checked",
    "not yet": "Not yet",
    "correct": "Correct",
}


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check.

    Attributes:
        outcome: "not attempted", "not yet" or "correct"; or "not checked", where this machine lacks
            what the judgement needs.
        message: what to read: paragraphs, and blocks of code that are indented by four spaces.
        mistake: the name of the known mistake that the answer behaves like, or None.

    Taught in: notebooks/00_start_here.ipynb, "How exercises work".
    """

    outcome: Outcome
    message: str
    mistake: str | None = None
    shown: screen.Cell | None = field(default=None, compare=False, repr=False)
    """The cell in which it was shown already; None if it was not."""

    def __repr__(self) -> str:
        named = f", mistake={self.mistake!r}" if self.mistake else ""
        return f"<Verdict: {self.outcome}{named}>"

    def __str__(self) -> str:
        return f"{_HEADINGS[self.outcome]}. {self.message}"

    def _ipython_display_(self) -> None:
        if self.shown is None or self.shown != screen.cell():
            self.show()

    def show(self) -> None:
        """Show it: in a notebook as a page, elsewhere as text."""
        screen.show(text=str(self), html=self._html())

    def _html(self) -> str:
        heading = f"<strong>{_HEADINGS[self.outcome]}.</strong> "
        return (
            f'<div class="amaas-verdict" role="status" style="border-left: 5px solid '
            f'{_COLOURS[self.outcome]}; padding: 2px 0 2px 12px; max-width: 60em">'
            f"{_as_html(heading, self.message)}</div>"
        )


def _as_html(heading: str, message: str) -> str:
    """Paragraphs and indented blocks as HTML; `code` in backticks."""
    parts: list[str] = []
    for block in re.split(r"\n{2,}", message.strip("\n")):
        lines = block.split("\n")
        if all(line.startswith("    ") for line in lines):
            code = "\n".join(html.escape(line[4:]) for line in lines)
            parts.append(f'<pre style="{_CODE}">{code}</pre>')
        else:
            text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(block, quote=False))
            parts.append(f'<p style="margin: 2px 0 6px 0">{heading}{text}</p>')
            heading = ""
    return "".join(parts)
