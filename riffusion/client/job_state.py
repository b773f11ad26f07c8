"""What a client knows about a job."""

from riffusion.client.models import JobData, JobStatus, Result
from riffusion.client.problems import job_error
from riffusion.client.watched import Watched
from riffusion.errors import Canceled, RequestError, RiffusionError
from riffusion.requests import JobResult


class JobState(Watched[JobData]):
    """A job's latest known state."""

    _noun, _folder, _model = "Job", "jobs", JobData

    @property
    def id(self) -> str:
        """Its id. If the job was submitted without a key, anyone with the id may see, cancel and delete it."""
        return self.data.id

    @property
    def status(self) -> JobStatus:
        """`queued`, `running`, `succeeded`, `failed` or `canceled`."""
        return self.data.status

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
