"""A worker that makes tones for a jam: each clip another, so that one hears which plays."""

import asyncio
import io
import math
import os
import wave
from array import array

from api.services import Services
from riffusion.jobs.record import AudioOutput, ImageOutput, JobOutput, JobRecord, Success
from tests.api.conftest import Worker, png

BARS_S = 5.12  # of the first seed image
RATE = 44_100
LEVEL = 0.25
FIRST_HZ, STEP_HZ = 400.05, 300  # no whole number of cycles, so that bars that just follow each other would click


def pitch(number: int) -> float:
    """The frequency of the so manieth clip, from 0."""
    return FIRST_HZ + STEP_HZ * (number % 8)


def tone(hz: float, seconds: float = BARS_S) -> bytes:
    """A WAV file."""
    one = array(
        "h", (round(LEVEL * 32767 * math.sin(2 * math.pi * hz * n / RATE)) for n in range(round(seconds * RATE)))
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(one.tobytes())
    return file.getvalue()


class JamWorker:
    """Makes each job's clip as soon as it waits, while `awake`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.made: list[JobRecord] = []
        self.awake = True

    async def run(self) -> None:
        """Works until it is canceled."""
        while True:
            if self.awake:
                await asyncio.to_thread(self._work)
            await asyncio.sleep(0.02)

    def _work(self) -> None:
        job = self._services.store.claim(Worker.MODEL, "w", os.urandom(8).hex())
        if job and self._succeed(job):
            self.made.append(job)

    def _succeed(self, job: JobRecord) -> bool:
        files, picture, sound = self._services.files, png(512), tone(pitch(len(self.made)))
        files.put(f"{job.folder}clip.png", picture, "image/png")
        files.put(f"{job.folder}clip.wav", sound, "audio/wav")
        output = JobOutput(
            ImageOutput(f"{job.folder}clip.png", 512, 512, len(picture)),
            AudioOutput(f"{job.folder}clip.wav", BARS_S, RATE, 1, "wav", len(sound)),
        )
        return self._services.store.finish(job.id, job.token, Success(output, ()))  # unless it was canceled
