"""What can be read in a text of SQL without parsing it: brackets, braces, a name at its end."""

from __future__ import annotations

import re

_QUOTED = re.compile(
    r"""'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | `[^`]*` | --[^\n]* | /\*.*?\*/""",
    re.DOTALL | re.VERBOSE,
)
_NAMED = re.compile(r"\bAS\s+(\w+)\s*$", re.IGNORECASE)
_BRACES = re.compile(r"\{[^{}]*\}")


def brackets(text: str) -> tuple[int, int]:
    """How many round brackets are opened and closed; those in quotes and comments do not count."""
    bare = _bare(text)
    return bare.count("("), bare.count(")")


def name_at_the_end(text: str) -> str:
    """The name of "… AS name"; "" where there is none, or it stands in a bracket."""
    opened, closed = brackets(text)
    found = _NAMED.search(_bare(text))
    return found[1] if found and opened == closed else ""


def braces(text: str) -> str:
    """The first pair of curly braces, with what it holds: "{key}"; "" for none."""
    found = _BRACES.search(text)
    return found[0] if found else ""


def _bare(text: str) -> str:
    """A text without its quotes and comments; a quoted name stays one."""
    return _QUOTED.sub(lambda found: "quoted" if found[0].startswith("`") else " ", text)
