"""The attempts at a job before the latest, which its record keeps for operators."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PastAttempt:
    """An attempt before the latest one, or a wait that ended without one."""

    reason: str
    """`released` by a worker that stopped, `worker_lost`, or the code of the error by which the job then failed."""
    started_at: float | None
    """Unix seconds; None if no worker had claimed the job."""
    ended_at: float
    requeued_at: float | None
    """When an operator requeued the job that had failed."""
    worker: str | None
    step: int
    total: int

    @classmethod
    def decode(cls, data: Mapping[str, str]) -> "PastAttempt":
        """The attempt from its JSON in the record."""
        return cls(
            reason=data["reason"],
            started_at=float(data["started_at"]) if "started_at" in data else None,
            ended_at=float(data["ended_at"]),
            requeued_at=float(data["requeued_at"]) if "requeued_at" in data else None,
            worker=data.get("worker"),
            step=int(data["step"]),
            total=int(data["total"]),
        )
