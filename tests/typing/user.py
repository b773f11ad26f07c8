"""What a user's program looks like: each line is right for a type checker, or wrong in the way that its comment says.

Checked by basedpyright, and by mypy without pydantic's plugin.
"""

from pathlib import Path

from riffusion.client import Client
from riffusion.requests import InterpolationEnd, SeedImage, Upload
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

request = TextToAudio(prompt="a")
TextToAudio(prompt="a", seed=1, steps=20, format="wav", lora={"piano": 0.5}, webhook="https://example.org")
Riff(prompt="a", init=SeedImage(seed_image="band"))
Interpolate(start=InterpolationEnd(prompt="a", seed=1), end=InterpolationEnd(prompt="b"))
AudioToImage(clip=Upload(upload="0" * 64))

TextToAudio()  # error: prompt
TextToAudio(prompt=1)  # error: str
TextToAudio(prompt="a", format="mp4")  # error: format
TextToAudio(prompt="a", clip="b")  # error: clip


def save(folder: Path) -> Path:
    """Submits a request, waits and downloads."""
    with Client("http://127.0.0.1:8000") as client:
        job = client.submit(request)
        client.submit("a")  # error: AnyRequest
        return job.wait().download(folder).audio
