"""Runs requests of every mode on one loaded model."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Self

from riffusion.audio_segment import AudioSegment
from riffusion.diffusion.checkpoint import Checkpoint, choose_device, choose_dtype, load_checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.memory import rows_within
from riffusion.diffusion.prompt import CHUNK_TOKENS
from riffusion.diffusion.supported import LATENT_CHANNELS
from riffusion.diffusion.tuning import choose_threads, compiler_for, memory_budget
from riffusion.errors import CheckpointUnavailable
from riffusion.generate.checks import check_width
from riffusion.generate.clip import Clip, Control
from riffusion.generate.modes import maker_of
from riffusion.generate.painter import Painter
from riffusion.generate.render import Renderer
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests import (
    MODES,
    AnyRequest,
    Kind,
    ModelCard,
    Painted,
    Quality,
    complete,
    departures,
    reference_fields,
)
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas

log = logging.getLogger(__name__)

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(str(files("riffusion").joinpath("models", "tiny")))
MAKERS = {mode: maker_of(mode) for mode in MODES}
MONO = "The model paints in mono: the stereo picture was mixed down."
UNGUIDED = "The negative prompt had no effect: the clip was made at a guidance of 1 or less, as quality fast may be."


def beside_the_quality(quality: Quality, fields: Sequence[str]) -> str:
    """The warning of a clip that isn't what its quality was distilled for, because these fields differ."""
    return (
        f"Quality {quality} of this model is distilled for one combination of sampler, steps, guidance and LoRAs. The "
        f"clip was made with another ({', '.join(fields)}) and may sound worse: leave these and the scheduler out."
    )


class Generator(Renderer):
    """One checkpoint, its engine and the codec. Thread-safe: many threads at once share the engine's batch."""

    def __init__(self, checkpoint: Checkpoint, settings: Settings) -> None:
        super().__init__(settings)
        self._checkpoint = checkpoint
        self._defaults = ModelCard(guidance=checkpoint.guidance, qualities=checkpoint.qualities)
        self._engine = _engine(checkpoint, settings)
        self._painter = Painter(checkpoint, self._engine, settings.lora_dir)
        self._codecs["standard"].warm_up()  # all levels run the same kernels
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

    def load_ahead(self) -> None:
        """Loads what the first request of a quality would wait for: its LoRAs, and what reads them."""
        for preset in self._defaults.qualities.values():
            with suppress(CheckpointUnavailable):  # it is logged, and ends requests of this quality alone
                self._painter.loras.get(preset.lora)

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes | AudioSegment], control: Control) -> Clip:
        """As of a `Renderer`, and with every mode; what is left to the model is as its card says."""
        return super().run(complete(request, self._defaults), inputs, control)

    @property
    def card(self) -> ModelCard:
        """What the API needs to know about the model now."""
        return self._defaults.model_copy(update={"loras": self._painter.loras.names()})

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

    def _picture(self, request: AnyRequest, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
        if not isinstance(request, Painted):
            return super()._picture(request, canvases, control)
        for field in request.AT_ONCE:
            if field in canvases:
                check_width(canvases[field], field)
        return MAKERS[type(request)](self._painter, request, canvases, control)

    def _warnings(self, request: AnyRequest, canvases: Mapping[str, Canvas], made: Canvas) -> tuple[str, ...]:
        if not isinstance(request, Painted):
            return ()
        kinds, warnings = reference_fields(type(request)), []
        if not made.stereo and any(each.stereo for field, each in canvases.items() if kinds[field] is not Kind.MASK):
            warnings.append(MONO)
        if request.negative_prompt.strip() and not request.guided:
            warnings.append(UNGUIDED)
        if fields := departures(request, self._defaults):
            warnings.append(beside_the_quality(request.quality or "standard", fields))
        if self._painter.words:
            warnings += chain.from_iterable(map(self._painter.words.warnings, dict.fromkeys(request.prompts)))
        return tuple(dict.fromkeys(warnings))


def _engine(checkpoint: Checkpoint, settings: Settings) -> Engine:
    """The engine as large and as parallel as the device allows, warming up in its own thread."""
    shape = (LATENT_CHANNELS, ROWS // checkpoint.scale, CLIP_COLUMNS // checkpoint.scale)
    context = (CHUNK_TOKENS, int(checkpoint.unet.config.cross_attention_dim))
    denoiser = Denoiser(checkpoint, compiler_for(checkpoint.device) if settings.compile else None)
    threads = choose_threads(denoiser, shape, context)
    max_latents = memory_budget(denoiser, shape, context)
    rows = rows_within(shape, settings.max_batch, max_latents)
    log.info("engine starts", extra={"device": str(checkpoint.device), "max_rows": rows, "threads": threads})
    return Engine(
        denoiser, settings.max_batch, max_latents, warm_up=partial(denoiser.warm_up, shape, context, 2 * rows)
    )
