"""Which task of which cluster this process is, and how the workers train together."""

from __future__ import annotations

import dataclasses

CHIEFS = ("chief", "master")
JOBS = (*CHIEFS, "worker", "ps", "evaluator")
PARAMETER_SERVER, ALL_REDUCE = STRATEGIES = ("parameter-server", "all-reduce")

Cluster = dict[str, dict[int, str]]  # HOST:PORT by job and index


@dataclasses.dataclass(frozen=True)
class Task:
    """One process of a cluster.

    "Workers" include the chief, which trains like the others. Their ranks count from the chief, 0.
    """

    program: str  # "softmax" or "cnn"
    cluster: Cluster
    job: str  # one of JOBS
    index: int  # within its job
    strategy: str = PARAMETER_SERVER
    sync: bool = False  # an update is the mean of the gradients of several workers
    backup_workers: int = 0  # number of gradients that a synchronous update does not wait for
    stall_timeout: float = 300.0  # seconds without progress after which a task fails

    @property
    def name(self) -> str:
        """JOB:INDEX."""
        return f"{self.job}:{self.index}"

    @property
    def address(self) -> str:
        """HOST:PORT; empty for an evaluator that is not listed in the cluster."""
        return self.cluster.get(self.job, {}).get(self.index, "")

    @property
    def port(self) -> int:
        """Port of this task."""
        return int(self.address.rpartition(":")[2])

    @property
    def workers(self) -> dict[str, str]:
        """Addresses of all workers by name, the chief first."""
        return self._addresses(*CHIEFS, "worker")

    @property
    def parameter_servers(self) -> dict[str, str]:
        """Addresses of all parameter servers by name."""
        return self._addresses("ps")

    @property
    def is_worker(self) -> bool:
        """Whether this task trains."""
        return self.name in self.workers

    @property
    def ranks(self) -> dict[int, str]:
        """Addresses of the workers by rank.

        A worker's rank depends on its own index alone, so that tasks which know only some of the
        workers (the sparse form of TF_CONFIG) agree on it.
        """
        chiefs = list(self._addresses(*CHIEFS).values())
        workers = {len(chiefs) + i: at for i, at in sorted(self.cluster.get("worker", {}).items())}
        return {**dict(enumerate(chiefs)), **workers}

    @property
    def rank(self) -> int:
        """Rank of this worker."""
        return next(rank for rank, address in self.ranks.items() if address == self.address)

    @property
    def num_ranks(self) -> int:
        """Number of workers, as far as this task knows."""
        return max(self.ranks) + 1

    @property
    def is_chief(self) -> bool:
        """Whether this task is the chief."""
        return self.is_worker and self.rank == 0

    @property
    def chief(self) -> str:
        """Name of the chief."""
        return next(iter(self.workers))

    @property
    def chief_address(self) -> str:
        """HOST:PORT of the chief."""
        return self.workers[self.chief]

    @property
    def mode(self) -> str:
        """How the workers train together: "asynchronous", "synchronous, ..." or "all-reduce"."""
        if self.strategy == ALL_REDUCE:
            return "all-reduce"
        if not self.sync:
            return "asynchronous"
        gradients = len(self.workers) - self.backup_workers
        return f"synchronous, {gradients} of {len(self.workers)} gradients per update"

    def _addresses(self, *jobs: str) -> dict[str, str]:
        return {
            f"{job}:{index}": address
            for job in jobs
            for index, address in sorted(self.cluster.get(job, {}).items())
        }
