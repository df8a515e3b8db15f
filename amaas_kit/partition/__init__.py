"""The room of partitioning: one plan cuts a table by rows or by columns, on any of four engines."""

from amaas_kit.partition.engines import Engine, engine
from amaas_kit.partition.engines.protocol import Availability
from amaas_kit.partition.manifest import Part
from amaas_kit.partition.movement import (
    moved_by_modulo,
    moved_by_rendezvous,
    rendezvous_parts,
    share_moved,
)
from amaas_kit.partition.plan import Columns, Hash, Plan, Range, RoundRobin, Window
from amaas_kit.partition.result import Result
from amaas_kit.partition.skew import gini_of, part_sizes, skew_of
from amaas_kit.partition.verification import Verification, verify

__all__ = [
    "Availability",
    "Columns",
    "Engine",
    "Hash",
    "Part",
    "Plan",
    "Range",
    "Result",
    "RoundRobin",
    "Verification",
    "Window",
    "engine",
    "gini_of",
    "moved_by_modulo",
    "moved_by_rendezvous",
    "part_sizes",
    "rendezvous_parts",
    "share_moved",
    "skew_of",
    "verify",
]
