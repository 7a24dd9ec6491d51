"""Which task of which cluster this process is, and how its tasks train together."""

from __future__ import annotations

import dataclasses

CHIEFS = ("chief", "master")
JOBS = (*CHIEFS, "worker", "ps", "evaluator")
PARAMETER_SERVER, ALL_REDUCE = STRATEGIES = ("parameter-server", "all-reduce")

Jobs = dict[str, dict[int, str]]  # addresses HOST:PORT by job and index


@dataclasses.dataclass(frozen=True)
class Task:
    """One process of a cluster."""

    program: str  # "softmax" or "cnn"
    jobs: Jobs  # of the whole cluster, checked
    job: str  # one of JOBS
    index: int  # in its job
    strategy: str = PARAMETER_SERVER
    sync: bool = False  # one update is the mean of the gradients of several workers
    backup_workers: int = 0  # so many gradients of each synchronous update are not waited for
    stall_timeout: float = 300.0  # seconds without an answer after which a task gives up

    @property
    def name(self) -> str:
        return f"{self.job}:{self.index}"

    @property
    def address(self) -> str:
        """HOST:PORT; an evaluator may have none, ""."""
        return self.jobs.get(self.job, {}).get(self.index, "")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def workers(self) -> dict[str, str]:
        """Addresses of all that train, by name: the chief first."""
        return self._addresses(*CHIEFS, "worker")

    @property
    def parameter_servers(self) -> dict[str, str]:
        """Addresses by name."""
        return self._addresses("ps")

    @property
    def trains(self) -> bool:
        return self.name in self.workers

    @property
    def positions(self) -> dict[int, str]:
        """Addresses of all that train, as far as they are named, by position: the chief's is 0.

        A worker's follows from its index alone, whoever else the sparse form names.
        """
        chiefs = list(self._addresses(*CHIEFS).values())
        workers = {len(chiefs) + i: at for i, at in sorted(self.jobs.get("worker", {}).items())}
        return {**dict(enumerate(chiefs)), **workers}

    @property
    def position(self) -> int:
        """Of this task among those that train."""
        return next(p for p, address in self.positions.items() if address == self.address)

    @property
    def size(self) -> int:
        """How many train, as far as this task knows."""
        return max(self.positions) + 1

    @property
    def is_chief(self) -> bool:
        return self.trains and self.position == 0

    @property
    def chief(self) -> str:
        """The chief's name."""
        return next(iter(self.workers))

    @property
    def chief_address(self) -> str:
        """HOST:PORT."""
        return self.workers[self.chief]

    @property
    def manner(self) -> str:
        """How the workers train together, in words."""
        if self.strategy == ALL_REDUCE:
            return "all-reduce"
        if not self.sync:
            return "asynchronous"
        wanted = len(self.workers) - self.backup_workers
        return f"synchronous, {wanted} of {len(self.workers)} gradients an update"

    def _addresses(self, *jobs: str) -> dict[str, str]:
        return {
            f"{job}:{index}": address
            for job in jobs
            for index, address in sorted(self.jobs.get(job, {}).items())
        }
