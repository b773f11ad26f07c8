"""The Python client of the HTTP API: `Client(url).submit(TextToAudio(prompt="...")).wait().download("clips")`.

It depends on httpx and on this project's request models and errors; nothing heavy is imported.
"""

from riffusion.client.job import Downloaded, Job
from riffusion.client.session import Client

__all__ = ["Client", "Downloaded", "Job"]
