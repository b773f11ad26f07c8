"""A worker with a quick stand-in for the model that returns seed images: `python -m tests.browser.quick`.

The page's tests start it as a process; all but the model is real. Words in the prompt change what it does: `slowly`
takes a second per step and shows previews, `badly` fails, `oddly` warns.
"""

import sys
import time
import zlib
from collections.abc import Mapping

from PIL import Image, ImageChops

from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.errors import BrokenPicture
from riffusion.generate import Clip, Control
from riffusion.generate.previews import encode_preview
from riffusion.requests import AnyRequest, ModelCard, shareable
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.requests.modes.extend import Extend
from riffusion.requests.modes.image_to_audio import ImageToAudio
from riffusion.requests.modes.inpaint import Inpaint
from riffusion.seeds import list_seeds, open_seed
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.picture_file import open_picture
from worker.app import serve

STEP_S = 0.02
SLOW_STEP_S = 1.0


class QuickModel:
    """Returns a seed image for any prompt and seed, shifted in pitch and time."""

    alive = True
    card = ModelCard(loras=("dub", "tape_2"), guidance=4.0)

    def __init__(self, _settings: Settings) -> None:
        self._codec = SpectrogramCodec()
        self._codec.warm_up()

    def load_ahead(self) -> None:
        pass

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        recipe = shareable(request.model_dump(mode="json"))
        if not isinstance(request, ImageToAudio | AudioToImage):
            _take_time(recipe, control, self._canvas(request, inputs, str(recipe)))
        canvas = self._canvas(request, inputs, str(recipe))
        wave = self._codec.decode(canvas)
        return Clip(
            canvas.png(recipe), encode_audio(wave, 44_100, request.format, recipe), request.format,
            wave.shape[1] / 44_100, 44_100, wave.shape[0], canvas.width, canvas.height,
            warnings=("It sounds odd.",) if "oddly" in str(recipe) else (),
        )  # fmt: skip

    def _canvas(self, request: AnyRequest, inputs: Mapping[str, bytes], random_text: str) -> Canvas:
        if isinstance(request, AudioToImage):
            return self._codec.encode(decode_audio(inputs["clip"], max_seconds=60))
        return Canvas.of(self._picture(request, inputs, random_text))

    def _picture(self, request: AnyRequest, inputs: Mapping[str, bytes], random_text: str) -> Image.Image:
        before = open_picture(inputs["image"] if "image" in inputs else inputs["init"]) if inputs else None
        if isinstance(request, ImageToAudio) and before:
            return before.convert("L")
        number = zlib.crc32(random_text.encode())
        seeds = list_seeds()
        painted = open_picture(open_seed(seeds[number % len(seeds)].name)).convert("L")
        painted = ImageChops.offset(painted, number % 512, -(number % 40))
        if before is None:
            return painted
        canvas = Image.new("L", (before.width + painted.width * isinstance(request, Extend), 512))
        canvas.paste(before.convert("L"))
        left = request.mask.seconds[0] if isinstance(request, Inpaint) and request.mask.seconds else 0  # type: ignore[union-attr]
        canvas.paste(painted, (before.width if isinstance(request, Extend) else int(left * 100), 0))
        return canvas

    def close(self) -> None:
        """Nothing runs."""


def _take_time(recipe: Mapping[str, object], control: Control, canvas: Canvas) -> None:
    prompt, steps = str(recipe.get("prompt")), int(str(recipe["steps"]))
    if "badly" in prompt:
        raise BrokenPicture("The picture isn't finite.")
    for step in range(1, steps + 1):
        until = time.monotonic() + (SLOW_STEP_S if "slowly" in prompt else STEP_S)
        while time.monotonic() < until:
            control.check()
            time.sleep(0.01)
        control.progress(step, steps)
        if "slowly" in prompt:
            control.preview(encode_preview(canvas.grey))


if __name__ == "__main__":
    sys.exit(serve(Settings(), QuickModel))
