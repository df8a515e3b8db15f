"""The room of partitioning: one plan cuts a table by rows or by columns, on any of four engines."""

from amaas_kit.partition.plan import Columns, Hash, Plan, Range, RoundRobin, Window

__all__ = ["Columns", "Hash", "Plan", "Range", "RoundRobin", "Window"]
