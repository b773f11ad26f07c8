"""Runs requests that need no model: a sound to its picture, a picture to its sound, and the files of both."""

from collections.abc import Mapping
from typing import get_args

from torch import Tensor

from riffusion import tracing
from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.audio.loudness import normalize_loudness
from riffusion.audio.sound_check import check_sound
from riffusion.audio_segment import AudioSegment, wav_of
from riffusion.diffusion.stages import stage
from riffusion.errors import UnknownReference
from riffusion.generate.checks import invalid
from riffusion.generate.clip import Clip, Control
from riffusion.generate.modes import maker_of
from riffusion.requests import (
    AnyRequest,
    InputSize,
    Kind,
    Quality,
    Reference,
    SeedImage,
    reference_fields,
    references,
    shareable,
    too_short,
)
from riffusion.seeds import open_seed
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec


class Renderer:
    """The codec and the audio encoders, without a model. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._codecs = {quality: SpectrogramCodec(quality=quality) for quality in get_args(Quality)}

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes | AudioSegment], control: Control) -> Clip:
        """Makes the clip that a request asks for.

        Args:
            request: with its seeds filled in (`with_seed`).
            inputs: by field of `references(request)`, the file's bytes of each upload and earlier job; built-in seed
                images are read here. For an earlier job: its audio file where the field is a sound, else its PNG. A
                sound may also be a `pydub.AudioSegment`.
            control: called at every step; whatever it raises stops the request and is raised here.

        Raises:
            RequestError: the request and its inputs can't be served.
            JobError: it ended without a result.
        """
        control.check()
        files = {name: data if isinstance(data, bytes) else wav_of(data) for name, data in inputs.items()}
        codec = self._codecs[request.quality or "standard"]
        wave, canvases = self._opened(request, files, codec)
        if request.columns({field: InputSize(each.width) for field, each in canvases.items()}) == 1:
            raise too_short(request.length_field)
        canvas = self._picture(request, canvases, control)
        sound = self._sound(request, canvas, wave, codec)
        control.check()
        rate = codec.params.sample_rate
        recipe = shareable(request.model_dump(mode="json", exclude_none=True))  # files are passed on
        with stage("write"):
            png, audio = canvas.png(recipe), encode_audio(sound, rate, request.format, recipe)
        return Clip(
            png=png,
            audio=audio,
            audio_format=request.format,
            duration_s=sound.shape[1] / rate,
            sample_rate=rate,
            channels=len(sound),
            width=canvas.width,
            height=canvas.height,
            warnings=self._warnings(request, canvases, canvas),
        )

    def _picture(self, request: AnyRequest, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
        """The picture that the request asks for, made of those that it starts from."""
        canvas = maker_of(type(request))(None, request, canvases, control)
        control.progress(1, 1)
        return canvas

    @stage("sound")
    def _sound(self, request: AnyRequest, canvas: Canvas, wave: Tensor | None, codec: SpectrogramCodec) -> Tensor:
        """The sound [C, T] of what was made, as loud as files are; as long as the wave, if it was made from one.

        Raises:
            JobError: it fails `check_sound`. Only what was made from silence may be silent.
        """
        loop, rate = request.SEAMLESS, codec.params.sample_rate
        samples = wave.shape[1] if wave is not None else codec.samples(canvas, loop=loop)
        sound = normalize_loudness(codec.decode(canvas, loop=loop, samples=samples), rate)
        check_sound(sound, rate, samples=samples, silent=canvas.silent and (wave is None or not wave.any()))
        return sound

    def _warnings(self, _request: AnyRequest, _canvases: Mapping[str, Canvas], _made: Canvas) -> tuple[str, ...]:
        return ()

    def _opened(
        self, request: AnyRequest, inputs: Mapping[str, bytes], codec: SpectrogramCodec
    ) -> tuple[Tensor | None, dict[str, Canvas]]:
        """The sound [C, T] that a request starts from, and by field the pictures, that of the sound included."""
        kinds, wave, canvases = reference_fields(type(request)), None, {}
        for field, reference in references(request).items():
            with tracing.span("read", {"riffusion.field": field}):
                if kinds[field] is Kind.SOUND:
                    wave = decode_audio(_input(inputs, field), max_seconds=self._settings.max_audio_s)
                    # A constant isn't heard, but would fill the picture's lowest rows and take the sound's headroom.
                    canvases[field] = codec.encode(wave - wave.mean(dim=1, keepdim=True))
                else:
                    canvases[field] = self._canvas(reference, field, inputs)
        return wave, canvases

    def _canvas(self, reference: Reference, field: str, inputs: Mapping[str, bytes]) -> Canvas:
        if not isinstance(reference, SeedImage):
            canvas = Canvas.open(_input(inputs, field))
        else:
            canvas = Canvas.open(open_seed(reference.seed_image, self._settings.seed_dir))
        seconds = canvas.params.seconds(canvas.width)
        if seconds > self._settings.max_audio_s:
            raise invalid(
                field, f"the picture is {seconds:.0f} s long; at most {self._settings.max_audio_s:g} s are taken"
            )
        return canvas


def _input(inputs: Mapping[str, bytes], field: str) -> bytes:
    if field not in inputs:
        raise UnknownReference("The file is missing.", field)
    return inputs[field]
