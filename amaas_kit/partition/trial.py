"""What a method would do to the rows of a table, and what would move with one part more.

Nothing is written. The parts of hash, range, window and round robin are those of the plans; the
bounds of ranges and the width of windows are chosen from the keys.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import polars as pl

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError
from amaas_kit.partition.cut import REAL, fit
from amaas_kit.partition.movement import rendezvous_parts
from amaas_kit.partition.plan import Hash, Plan, Range, RoundRobin, RowStep, Value, Window
from amaas_kit.partition.reference import key_numbers, part_numbers
from amaas_kit.partition.source import Table, reading

METHODS = ("hash", "rendezvous", "range", "window", "round robin")


class Trial:
    """The first rows of a table, to be cut by one of its columns in several ways.

    Args:
        table: the table.
        key: the name of the column.
        rows: how many rows are looked at.

    Attributes:
        key: (n,) the keys, as plans have them: Int64, Float64 or String.

    Raises:
        DataError: there is no such column, or no plan can be made with it.

    Taught in: notebooks/05_data_partitioning, "Choose for yourself".
    """

    def __init__(self, table: Table, key: str, rows: int) -> None:
        real = table.schema.get(key) in REAL
        plan = Plan.range(key, [0.0]) if real else Plan.hash(key, 1)
        [expression] = fit(plan, table).keys
        with reading(table.files):
            self.key = table.scan().head(rows).select(expression).collect().to_series()
        self.name = key

    def numbers(self, method: str, parts: int) -> Array:
        """The part of each row: (n,) int64 from 0 to parts - 1.

        Args:
            method: "hash"; "rendezvous"; "range", with bounds that make parts as equal as the keys
                allow; "window", of equal widths; "round robin".
            parts: how many.

        Raises:
            DataError: a method that there is not, or that cannot cut such keys.
        """
        if method == "rendezvous":
            self._require(self.key.dtype not in REAL, method, "keys with a fraction")
            found = rendezvous_parts(key_numbers(self.key), parts)
            return np.where(self.key.is_null().to_numpy(), 0, found)
        step = self._step(method, parts)
        keys = [] if isinstance(step, RoundRobin) else [self.key]
        return part_numbers([step], keys, np.arange(len(self.key)))

    def with_one_more(self, method: str, parts: int) -> Array:
        """The part of each row when there is one part more: (n,) int64 from 0 to parts.

        Ranges get new bounds. Windows keep their width; the new one begins where the last ended,
        so that it waits for rows to come.
        """
        return self.numbers(method, parts if method == "window" else parts + 1)

    def bounds(self, parts: int) -> tuple[Value, ...]:
        """Keys at which ranges begin, so that their sizes are as equal as the keys allow.

        Fewer than `parts - 1` where one key has so many rows that two bounds would fall on it.
        """
        known = self._in_order
        places = [len(known) * part // parts for part in range(1, parts)] if len(known) else []
        chosen = dict.fromkeys(known[place] for place in places)
        return tuple(bound for bound in chosen if bound != known[0])

    @cached_property
    def _in_order(self) -> pl.Series:
        return self.key.drop_nulls().sort()

    def _step(self, method: str, parts: int) -> RowStep:
        match method:
            case "hash":
                self._require(self.key.dtype not in REAL, method, "keys with a fraction")
                return Hash(self.name, parts)
            case "range":
                bounds = self.bounds(parts)
                return Range(self.name, bounds) if bounds else RoundRobin(1)
            case "window":
                return self._windows(parts)
            case "round robin":
                return RoundRobin(parts)
        raise DataError(
            situation="While trying a method of partitioning",
            seen=f"method={method!r}",
            wrong="there is no such method",
            fix=f"use one of {', '.join(METHODS)}",
        )

    def _windows(self, parts: int) -> Window:
        self._require(self.key.dtype == pl.Int64, "window", f"keys of type {self.key.dtype}")
        first, last = (self._in_order[0], self._in_order[-1]) if len(self._in_order) else (0, 0)
        return Window(self.name, first, (last - first) // parts + 1)

    def _require(self, holds: bool, method: str, seen: str) -> None:
        if not holds:
            raise DataError(
                situation=f"While cutting by {self.name} with the method {method!r}",
                seen=seen,
                wrong="windows are cut by times and whole numbers"
                if method == "window"
                else "numbers that look equal may differ in their last bit, and then in their hash",
                fix="choose another key, or the method 'range'",
            )
