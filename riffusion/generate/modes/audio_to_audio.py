"""Modes that paint whole pictures: from a prompt, from a picture, between two prompts, from a clip of any length."""

from collections.abc import Iterator

import numpy as np
import torch

from riffusion.diffusion.autoencoder import Grey
from riffusion.diffusion.noise import BlendedNoise, GivenNoise, SeededNoise
from riffusion.generate.canvas import Canvas, check_width, pad, padded_width
from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter, Steering, Stroke, guidance_of
from riffusion.requests import CLIP_SECONDS, OVERLAP_SECONDS, AudioToAudio, Interpolate, Riff, TextToAudio

CLIP_COLUMNS = round(100 * CLIP_SECONDS)
OVERLAP_COLUMNS = round(100 * OVERLAP_SECONDS)


def seed_of(seed: int | None) -> int:
    """The seed of a request, which whoever takes requests has filled in."""
    if seed is None:
        raise ValueError("the request has no seed: fill it in with `with_seed`")
    return seed


def text_to_audio(painter: Painter, request: TextToAudio, control: Control) -> Canvas:
    """A picture from a prompt alone."""
    stroke = Stroke(
        steering=painter.steering(request),
        noise=SeededNoise(seed_of(request.seed)),
        width=request.width,
    )
    (grey,) = painter.paint(request, [stroke], painter.progress(request, control, [1.0]))
    return Canvas.blank(grey)


def riff(painter: Painter, request: Riff, init: Canvas, control: Control) -> Canvas:
    """A picture in the shape of another one, of the same width."""
    check_width(init, "init")
    stroke = Stroke(
        steering=painter.steering(request),
        noise=SeededNoise(seed_of(request.seed)),
        width=init.width,
        init=init.grey,
        denoising=request.denoising,
    )
    (grey,) = painter.paint(request, [stroke], painter.progress(request, control, [request.denoising]))
    return Canvas.blank(grey, like=init)


def interpolate(painter: Painter, request: Interpolate, init: Canvas | None, control: Control) -> Canvas:
    """The picture between two prompts and seeds, or a run of them side by side as one wide picture.

    Embeddings, guidance and denoising go in a straight line from start to end, noise on the sphere.
    """
    if init:
        check_width(init, "init")
    strokes = list(_between(painter, request, init))
    progress = painter.progress(request, control, [stroke.denoising for stroke in strokes])
    greys = painter.paint(request, strokes, progress)
    return Canvas.blank(np.concatenate(greys, axis=1), like=init)


def _between(painter: Painter, request: Interpolate, init: Canvas | None) -> Iterator[Stroke]:
    start, end = request.start, request.end
    alphas = [request.alpha] if request.alpha is not None else np.linspace(0, 1, request.clips or 2).tolist()
    lora = painter.loras.get(request.lora)
    embeddings = painter.prompts.encode(start.prompt, end.prompt, request.negative_prompt, lora=lora)
    for alpha in alphas:
        noises = SeededNoise(seed_of(start.seed)), SeededNoise(seed_of(end.seed))
        yield Stroke(
            steering=Steering(
                torch.lerp(embeddings[0], embeddings[1], alpha),
                embeddings[2],
                _mix(guidance_of(start.guidance), guidance_of(end.guidance), alpha),
                lora,
            ),
            noise=BlendedNoise(*noises, alpha),
            width=init.width if init else CLIP_COLUMNS,
            init=init.grey if init else None,
            denoising=_mix(start.denoising, end.denoising, alpha) if init else 1.0,
        )


def _mix(start: float, end: float, alpha: float) -> float:
    return start + (end - start) * alpha


def audio_to_audio(painter: Painter, request: AudioToAudio, clip: Canvas, control: Control) -> Canvas:
    """The clip's picture painted anew in overlapping windows.

    The windows start from slices of one long noise, so that they agree where they overlap; there they are blended.
    """
    stride = CLIP_COLUMNS - OVERLAP_COLUMNS
    windows = max(1, -(-(clip.width - OVERLAP_COLUMNS) // stride))
    width = padded_width(clip.width) if windows == 1 else (windows - 1) * stride + CLIP_COLUMNS
    strokes = list(_windows(painter, request, pad(clip.grey, width), stride))
    progress = painter.progress(request, control, [request.denoising] * windows)
    grey = _blended(painter.paint(request, strokes, progress))
    return Canvas.blank(grey[:, : clip.width], like=clip)


def _windows(painter: Painter, request: AudioToAudio, grey: Grey, stride: int) -> Iterator[Stroke]:
    steering = painter.steering(request)
    seed, width = seed_of(request.seed), grey.shape[1]
    channels, rows, latent_columns = painter.latent_shape(width)
    noise = SeededNoise(seed).draw((channels, rows, latent_columns))
    per_latent = width // latent_columns
    for first in range(0, max(1, width - OVERLAP_COLUMNS), stride):
        last = min(first + CLIP_COLUMNS, width)
        yield Stroke(
            steering=steering,
            noise=GivenNoise(noise[:, :, first // per_latent : last // per_latent].clone(), seed + first),
            width=last - first,
            init=grey[:, first:last],
            denoising=request.denoising,
        )


def _blended(windows: list[Grey]) -> Grey:
    """Windows side by side, each fading into the next over the columns that they share."""
    fade = (np.arange(OVERLAP_COLUMNS) + 0.5) / OVERLAP_COLUMNS
    parts, tail = [], windows[0]
    for window in windows[1:]:
        shared = tail[:, -OVERLAP_COLUMNS:] * (1 - fade) + window[:, :OVERLAP_COLUMNS] * fade
        parts += [tail[:, :-OVERLAP_COLUMNS], shared.round().astype(np.uint8)]
        tail = window[:, OVERLAP_COLUMNS:]
    return np.concatenate((*parts, tail), axis=1)
