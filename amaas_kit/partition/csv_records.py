"""The records of a CSV file, counted block by block: where they end, and how many fields each has.

Bytes are looked at by the million, so that a file is read about as fast as the disk gives it.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Counts: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

NONE: Counts = np.array([], np.int64)
QUOTE, BREAK, RETURN = b'"\n\r'


class Found(NamedTuple):
    """What a block of a file tells.

    Args:
        lines: the first line of each record that ends in the block.
        fields: how many fields each has; -1 for a quote left open.
        ends: the byte of the file after each.
        stray: the line of the first quote in the midst of a field, and the first line of its
            record; None for no such quote.
    """

    lines: Counts
    fields: Counts
    ends: Counts
    stray: tuple[int, int] | None = None


class Records:
    """Counts the fields of records, block by block of a file.

    After an odd number of quotes the text lies within a field, where line ends and separators
    mean nothing. A doubled quote leaves the field and enters it again.

    Args:
        separator: the character between fields.
        position: the byte of the file at which the first block begins.
        empty: how many fields an empty line has.
    """

    def __init__(self, separator: str, position: int = 0, empty: int = 0) -> None:
        self.position = position
        self.line = self.start = 1
        self.fields = 1
        self.inside = False
        self.begun = False
        self.empty = empty
        self.last = BREAK
        self.mark = ord(separator)
        self.ahead = _among(self.mark, BREAK, QUOTE)
        self.after = _among(self.mark, BREAK, RETURN, QUOTE)

    def feed(self, block: bytes) -> Found:
        """Go on with the next block of the file, which is not empty and parts no line end."""
        text = np.frombuffer(block, np.uint8)
        quotes = np.flatnonzero(text == QUOTE)
        within = self._within(text, len(quotes) > 0)
        breaks = np.flatnonzero(text == BREAK)
        ends = breaks[within[breaks] == 0]
        marks = np.flatnonzero((text == self.mark) & (within == 0))
        before = np.searchsorted(marks, ends)
        counts = np.diff(before, prepend=0) + 1
        counts[:1] += self.fields - 1
        counts[self._blank(text, ends)] = self.empty
        starts = np.concatenate([[self.start], self.line + 1 + np.searchsorted(breaks, ends)])
        place = self._stray(text, quotes, within)
        stray = None
        if place is not None:
            line = self.line + int(np.searchsorted(breaks, place))
            stray = (line, int(starts[np.searchsorted(ends, place)]))
        found = Found(starts[:-1], counts, self.position + ends + 1, stray)
        self.position += len(text)
        self.line += len(breaks)
        self.start = int(starts[-1])
        self.fields = len(marks) - int(before[-1]) + 1 if len(ends) else self.fields + len(marks)
        self.begun = bool(ends[-1] < len(text) - 1) if len(ends) else True
        self.inside = bool(within[-1])
        self.last = int(text[-1])
        return found

    def rest(self) -> Found:
        """The record that the file's last line end does not close."""
        if not self.begun:
            return Found(NONE, NONE, NONE)
        fields = -1 if self.inside else self.fields
        return Found(np.array([self.start]), np.array([fields]), np.array([self.position]))

    def _within(self, text: Bytes, quoted: bool) -> Bytes:
        """Whether each byte lies within quotes, 0 or 1; at a quote, whether the next one does."""
        if not quoted:
            return np.broadcast_to(np.uint8(self.inside), len(text))
        return (np.cumsum(text == QUOTE, dtype=np.uint8) + np.uint8(self.inside)) & np.uint8(1)

    def _blank(self, text: Bytes, ends: Counts) -> npt.NDArray[np.bool_]:
        starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        length = ends - starts
        blank = (length == 0) | ((length == 1) & (text[starts] == RETURN))
        blank[:1] &= not self.begun
        return np.asarray(blank)

    def _stray(self, text: Bytes, quotes: Counts, within: Bytes) -> int | None:
        """Where the first quote stands that neither begins nor ends a field, nor is doubled."""
        opening = quotes[within[quotes] == 1]
        ahead = np.where(opening > 0, text[opening - 1], np.uint8(self.last))
        behind = quotes[within[quotes] == 0] + 1
        if self.last == QUOTE and not self.inside:
            behind = np.concatenate([[0], behind])
        behind = behind[behind < len(text)]
        wrong = np.concatenate([opening[~self.ahead[ahead]], behind[~self.after[text[behind]]]])
        return int(wrong.min()) if len(wrong) else None


def _among(*wanted: int) -> npt.NDArray[np.bool_]:
    """Of each of the 256 bytes, whether it is one of these."""
    table = np.zeros(256, np.bool_)
    table[list(wanted)] = True
    return table
