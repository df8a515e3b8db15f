"""How long a cut takes on paper: on one machine, and on many that exchange rows with each other."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from amaas_kit.errors import DataError


@dataclass(frozen=True)
class Stages:
    """Seconds of a cut on a cluster, one stage after the other.

    Args:
        start: until all machines are ready.
        work: to read, compute and write, all machines at the same time.
        shuffle: to send each row to the machine of its part.
    """

    start: float
    work: float
    shuffle: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.start + self.work + self.shuffle


@dataclass(frozen=True)
class PaperCluster:
    """Machines of one kind, as few numbers as a first calculation needs.

    Args:
        nodes: how many machines.
        node_rate: bytes per second that one of them reads, cuts and writes.
        bandwidth: bytes per second that one of them sends, and as many that it receives.
        start: seconds until all are ready.

    Raises:
        DataError: a number that no cluster has.

    Taught in: notebooks/06_distributed_engines, "On paper: the same job on 100 machines".
    """

    nodes: int = 100
    node_rate: float = 50e6
    bandwidth: float = 1.25e9
    start: float = 30.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = 1 if name == "nodes" else 0
            positive = value > 0 or name == "start"
            if not (math.isfinite(value) and value >= least and positive):
                raise DataError(
                    situation="While calculating a cluster on paper",
                    seen=f"{name}={value!r}",
                    wrong="there is no cluster with this number",
                    fix="pass nodes from 1, rates above 0, and a start from 0 seconds",
                )

    def stages(self, size: float) -> Stages:
        """What a table of so many bytes takes. Each machine keeps one row in `nodes`."""
        share = size / self.nodes
        sent = share * (self.nodes - 1) / self.nodes
        return Stages(self.start, share / self.node_rate, sent / self.bandwidth)

    def crossover(self, rate: float) -> float:
        """From how many bytes on the cluster is faster than one machine.

        Args:
            rate: bytes per second that the one machine reads, cuts and writes.

        Returns:
            Infinity where the cluster is never faster.
        """
        one_byte = self.stages(1)
        gained = 1 / rate - one_byte.work - one_byte.shuffle
        return self.start / gained if gained > 0 else math.inf
