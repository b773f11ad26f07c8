"""Runs requests on one loaded model: inputs to canvases, the mode, the sound, the files."""

import logging
from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Self, get_args

from torch import Tensor

from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.audio.loudness import normalize_loudness
from riffusion.audio_segment import AudioSegment, wav_of
from riffusion.diffusion.checkpoint import (
    LATENT_CHANNELS,
    Checkpoint,
    choose_device,
    choose_dtype,
    load_checkpoint,
)
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.prompt import CHUNK_TOKENS
from riffusion.diffusion.tuning import choose_threads, compiler_for, largest_batch
from riffusion.errors import UnknownReference
from riffusion.generate.checks import check_width, invalid
from riffusion.generate.clip import Clip, Control
from riffusion.generate.modes import MAKERS
from riffusion.generate.painter import Painter
from riffusion.generate.vocabulary import KnownWords
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests import (
    AnyRequest,
    Kind,
    ModelCard,
    Painted,
    Quality,
    Reference,
    SeedImage,
    reference_fields,
    references,
    shareable,
    with_guidance,
)
from riffusion.seeds import open_seed
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec

log = logging.getLogger(__name__)

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(str(files("riffusion").joinpath("models", "tiny")))
MONO = "The model paints in mono: the stereo picture was mixed down."


class Generator:
    """One checkpoint, its engine and the codec. Thread-safe: many threads at once share the engine's batch."""

    def __init__(self, checkpoint: Checkpoint, settings: Settings) -> None:
        self._settings = settings
        self._checkpoint = checkpoint
        self._words = KnownWords(checkpoint.vocabulary) if checkpoint.vocabulary else None
        self._codecs = {quality: SpectrogramCodec(quality=quality) for quality in get_args(Quality)}
        self._engine = _engine(checkpoint, settings)
        self._painter = Painter(checkpoint, self._engine, settings.lora_dir)
        for codec in self._codecs.values():
            codec.warm_up()
        self._engine.wait_until_ready()

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Loads the checkpoint and warms everything up; takes seconds on a CPU, minutes where kernels are compiled.

        Raises:
            CheckpointUnavailable: naming the folder or hub id.
        """
        device = choose_device(settings.device)
        source = str(BUNDLED_FOLDER) if settings.checkpoint == BUNDLED else settings.checkpoint
        checkpoint = load_checkpoint(source, settings.checkpoint_revision, device, choose_dtype(device))
        return cls(checkpoint, settings)

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes | AudioSegment], control: Control) -> Clip:
        """Makes the clip that a request asks for.

        Args:
            request: with its seeds filled in (`with_seed`); guidance left out is the checkpoint's.
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
        request = with_guidance(request, self._checkpoint.guidance)
        codec = self._codecs[request.quality or "standard"]
        wave, canvases = self._opened(request, files, codec)
        for field in request.AT_ONCE if isinstance(request, Painted) else ():
            if field in canvases:
                check_width(canvases[field], field)
        canvas = MAKERS[type(request)](self._painter, request, canvases, control)
        if not isinstance(request, Painted):
            control.progress(1, 1)
        samples = wave.shape[1] if wave is not None else None
        sound = codec.decode(canvas, loop=request.SEAMLESS, samples=samples)
        control.check()
        rate = codec.params.sample_rate
        sound = normalize_loudness(sound, rate)
        recipe = shareable(request.model_dump(mode="json", exclude_none=True))  # files are passed on
        return Clip(
            png=canvas.png(recipe),
            audio=encode_audio(sound, rate, request.format, recipe),
            audio_format=request.format,
            duration_s=sound.shape[1] / rate,
            sample_rate=rate,
            channels=len(sound),
            width=canvas.width,
            height=canvas.height,
            warnings=self._warned(request, canvases, canvas),
        )

    @property
    def card(self) -> ModelCard:
        """What the API needs to know about the model now."""
        return ModelCard(loras=self._painter.loras.names(), guidance=self._checkpoint.guidance)

    @property
    def alive(self) -> bool:
        """Whether it can make clips; once it can't, only a new process can."""
        return self._engine.alive

    def close(self) -> None:
        """Stops the engine; requests that still run end as `Canceled`."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(
        self, request: AnyRequest, inputs: Mapping[str, bytes], codec: SpectrogramCodec
    ) -> tuple[Tensor | None, dict[str, Canvas]]:
        """The sound [C, T] that a request starts from, and by field the pictures, that of the sound included."""
        kinds, wave, canvases = reference_fields(type(request)), None, {}
        for field, reference in references(request).items():
            if kinds[field] is Kind.SOUND:
                wave = decode_audio(_input(inputs, field), max_seconds=self._settings.max_audio_s)
                canvases[field] = codec.encode(wave)
            else:
                canvases[field] = self._canvas(reference, field, inputs)
        return wave, canvases

    def _canvas(self, reference: Reference, field: str, inputs: Mapping[str, bytes]) -> Canvas:
        if not isinstance(reference, SeedImage):
            canvas = Canvas.open(_input(inputs, field))
        else:
            canvas = Canvas.open(open_seed(reference.seed_image))
        seconds = canvas.params.seconds(canvas.width)
        if seconds > self._settings.max_audio_s:
            raise invalid(
                field, f"the picture is {seconds:.0f} s long; at most {self._settings.max_audio_s:g} s are taken"
            )
        return canvas

    def _warned(self, request: AnyRequest, canvases: Mapping[str, Canvas], made: Canvas) -> tuple[str, ...]:
        if not isinstance(request, Painted):
            return ()
        kinds, warnings = reference_fields(type(request)), []
        if not made.stereo and any(each.stereo for field, each in canvases.items() if kinds[field] is not Kind.MASK):
            warnings.append(MONO)
        if self._words:
            warnings += filter(None, map(self._words.warning, dict.fromkeys(request.prompts)))
        return tuple(warnings)


def _engine(checkpoint: Checkpoint, settings: Settings) -> Engine:
    """The engine as large and as parallel as the device allows, warming up in its own thread."""
    shape = (LATENT_CHANNELS, ROWS // checkpoint.scale, CLIP_COLUMNS // checkpoint.scale)
    context = (CHUNK_TOKENS, int(checkpoint.unet.config.cross_attention_dim))
    denoiser = Denoiser(checkpoint, compiler_for(checkpoint.device) if settings.compile else None)
    threads = choose_threads(denoiser, shape, context)
    rows = largest_batch(denoiser, shape, context, settings.max_batch)
    log.info("engine starts", extra={"device": str(checkpoint.device), "max_rows": rows, "threads": threads})
    return Engine(denoiser, rows, warm_up=partial(denoiser.warm_up, shape, context, 2 * rows))


def _input(inputs: Mapping[str, bytes], field: str) -> bytes:
    if field not in inputs:
        raise UnknownReference("The file is missing.", field)
    return inputs[field]
