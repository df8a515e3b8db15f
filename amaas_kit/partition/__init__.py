"""The room of partitioning: one plan cuts a table by rows or by columns, on any of four engines."""

from amaas_kit.partition.movement import (
    moved_by_modulo,
    moved_by_rendezvous,
    rendezvous_parts,
    share_moved,
)
from amaas_kit.partition.plan import Columns, Hash, Plan, Range, RoundRobin, Window
from amaas_kit.partition.skew import gini_of, part_sizes, skew_of

__all__ = [
    "Columns",
    "Hash",
    "Plan",
    "Range",
    "RoundRobin",
    "Window",
    "gini_of",
    "moved_by_modulo",
    "moved_by_rendezvous",
    "part_sizes",
    "rendezvous_parts",
    "share_moved",
    "skew_of",
]
