"""What a client knows about a job."""

from riffusion.client.models import JobData, JobStatus, Result
from riffusion.client.problems import job_error
from riffusion.errors import Canceled, RequestError, RiffusionError
from riffusion.requests import JobResult


class JobState:
    """A job's latest known state."""

    def __init__(self, data: JobData) -> None:
        self._state: tuple[JobData, str | None] = data, None  # with its entity tag, in one step for all threads

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"

    @property
    def data(self) -> JobData:
        """Its latest known state, as of the latest call that fetched it."""
        return self._state[0]

    @property
    def id(self) -> str:
        """Its id. If the job was submitted without a key, anyone with the id may see, cancel and delete it."""
        return self.data.id

    @property
    def status(self) -> JobStatus:
        """`queued`, `running`, `succeeded`, `failed` or `canceled`."""
        return self.data.status

    @property
    def ended(self) -> bool:
        """Whether it has reached a terminal state."""
        return self.data.ended

    @property
    def error(self) -> RiffusionError | None:
        """Why it ended without a result; None if it hasn't."""
        if self.status == "canceled":
            return Canceled(f"Job {self.id} was canceled.")
        return job_error(self.data.error) if self.data.error else None

    @property
    def reference(self) -> JobResult:
        """What requests name its result by: `client.run("dub techno", mode="riff", init=job.reference)`."""
        return JobResult(job=self.id)

    @property
    def result(self) -> Result:
        """What it made, once it has succeeded.

        Raises:
            RequestError: it has not.
        """
        if self.data.result is None:
            raise RequestError(f"Job {self.id} has no result: it is {self.status}.")
        return self.data.result
