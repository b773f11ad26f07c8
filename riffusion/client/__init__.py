"""The Python client of the HTTP API: `Client(url).run("church bells").save("bells.mp3")`.

`AsyncClient` has the same calls for asyncio. Both need httpx and this project's request models and errors; nothing
heavy is imported.
"""

from riffusion.client.batch import AsyncBatch, Batch, BatchResult
from riffusion.client.events import Event
from riffusion.client.job import AsyncJob, Downloaded, Job
from riffusion.client.result_file import AsyncFile, File
from riffusion.client.session import AsyncClient, Client

__all__ = [
    "AsyncBatch",
    "AsyncClient",
    "AsyncFile",
    "AsyncJob",
    "Batch",
    "BatchResult",
    "Client",
    "Downloaded",
    "Event",
    "File",
    "Job",
]
