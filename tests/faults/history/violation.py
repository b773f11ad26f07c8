"""What the checker reports."""

from dataclasses import dataclass
from typing import Literal

Rule = Literal[
    "lost",  # an accepted job, or its file, is not there, or never ended
    "doubled",  # two ends, two results, or two jobs of one request
    "revision",  # it fell, or stands for two states
    "deleted",  # and there again
    "canceled",  # without a request, or not at all
    "created",  # a job without a request, or a retry that was not recognized
    "listed",  # too much
    "limits",  # exceeded
    "webhook",  # missing, wrong or not signed
    "copied",  # not at once, or another clip
]


@dataclass(frozen=True)
class Violation:
    """One thing that the promise doesn't explain."""

    rule: Rule
    about: str  # the job, key or account
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.about}: {self.text}"
