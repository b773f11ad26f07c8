"""A worker whose model costs nothing, and does what the prompt says: `python -m tests.worker.cheap`.

The worker's own tests start it as a process; everything but the generator is the real thing. A prompt is a list of
words: a number is that many seconds for the whole run, `step` takes as long in one step (`5 step`), `die` ends the
process (`1 die`: after a second), `hang` never returns, `break` raises what no one expects, `refuse` what a request
deserves.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping

from riffusion.errors import BrokenPicture
from riffusion.generate import Clip, Control
from riffusion.requests import AnyRequest, ModelCard
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from worker.app import serve

log = logging.getLogger("worker.cheap")
STEPS = 20


class CheapGenerator:
    """Takes the time that the prompt says, and makes tiny files."""

    alive = True
    card = ModelCard()

    @classmethod
    def load(cls, _settings: Settings) -> "CheapGenerator":
        return cls()

    def load_ahead(self) -> None:
        log.info("loaded ahead")

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        prompt = request.prompt if isinstance(request, TextToAudio) else ""
        seconds = 0.0
        for word in prompt.split():
            match word:
                case "die":
                    time.sleep(seconds)
                    os._exit(9)
                case "step":
                    time.sleep(seconds)
                    seconds = 0.0
                case "hang":
                    threading.Event().wait()
                case "break":
                    raise ZeroDivisionError("/secret/path")
                case "refuse":
                    raise BrokenPicture("The picture isn't finite.")
                case _:
                    seconds = float(word)
        for step in range(STEPS):
            control.progress(step, STEPS)
            control.preview(f"preview {step}".encode())
            until = time.monotonic() + seconds / STEPS
            while time.monotonic() < until:
                time.sleep(0.02)
                control.check()
        control.progress(STEPS, STEPS)
        audio = inputs["clip"] if isinstance(request, AudioToImage) else b"sound"
        return Clip(b"picture", audio, request.format, 5.12, 44_100, 1, 512, 512, ("cheap",))

    def close(self) -> None:
        pass


if __name__ == "__main__":
    sys.exit(serve(Settings(), CheapGenerator.load))
