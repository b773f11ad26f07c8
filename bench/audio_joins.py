"""Joins of clips, the seams of loops, channels, and the encoded file."""

import statistics
from collections.abc import Callable, Sequence

import numpy as np
import torch
from audio_metrics import Picture, energy_above_db, gain_matched, pixel_errors
from torch import Tensor

from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.audio.loudness import normalize_loudness
from riffusion.audio.true_peak import true_peak_db
from riffusion.geometry import DEFAULT, FULL_SCALE
from riffusion.spectrogram.codec import SCHEDULES, SpectrogramCodec
from riffusion.spectrogram.grid import grid_for
from riffusion.spectrogram.stream import Stream

NEAR = 6  # columns on either side of a join
CUT_HZ = 11_000  # pictures end at 10 kHz: energy above is from edges
RATE = DEFAULT.sample_rate


def joins(pictures: Sequence[Picture]) -> dict[str, float]:
    """Each picture retrieved in two stretches: pixel error near the join over the whole's, and the level's error."""
    ratios, levels = [], []
    for picture in pictures:
        middle = picture.canvas.width // 2
        near = slice(middle - NEAR, middle + NEAR)
        wave = in_stretches(picture, middle)
        _, mel = gain_matched(wave, picture.mel)
        errors = pixel_errors(mel, picture)
        ratios.append(float(errors[:, near].mean() / errors.mean()))
        level = mel[..., near].square().sum() / picture.mel[..., near].square().sum()
        levels.append(abs(10 * float(torch.log10(level))))
    return {
        "join_px_ratio_mean": statistics.fmean(ratios),
        "join_px_ratio_worst": max(ratios),
        "join_level_db_mean": statistics.fmean(levels),
        "join_level_db_worst": max(levels),
    }


def in_stretches(picture: Picture, cut: int) -> Tensor:
    """Wave [1, T] of a picture whose columns before and after `cut` are retrieved one after the other."""
    grid, mel = grid_for(picture.canvas.params), picture.mel.transpose(1, 2).contiguous().numpy()
    assert grid is not None
    stream = Stream(grid, SCHEDULES["standard"], picture.canvas.params.max_value / FULL_SCALE)
    parts = [stream.feed(mel[:, :cut]), stream.feed(mel[:, cut:]), stream.close(mel[:, :0])]
    return torch.from_numpy(np.concatenate(parts, axis=1))


def loops(seeds: Sequence[Picture]) -> dict[str, float]:
    """Energy above `CUT_HZ` at a loop's seam, over the clip's median: decoded as a circle, and without.

    In 16 bits, as in a file: above the pictures' 10 kHz there is only their noise.
    """
    found: dict[str, list[float]] = {"loop_seam_db_worst": [], "plain_repeat_seam_db_worst": []}
    for picture in seeds:
        for name, loop in zip(found, (True, False), strict=True):
            wave = normalize_loudness(SpectrogramCodec().decode(picture.canvas, loop=loop), RATE)[0]
            wave = (wave * 32767).round() / 32767
            energy = energy_above_db(wave.repeat(2), CUT_HZ)
            seam = len(wave) // 256
            inside = energy[8 : seam - 8]
            found[name].append(float(energy[seam - 2 : seam + 3].max() - inside.median()))
    return {name: max(values) for name, values in found.items()}


def stereo(recordings: Sequence[Tensor], reference: Callable[[Picture], Tensor]) -> dict[str, float]:
    """Pixel error of the mono downmix over the reference's, for two recordings panned to either side."""
    ratios = []
    for one, other in zip(recordings[::2], recordings[1::2], strict=False):
        channels = torch.cat([0.8 * one + 0.3 * other, 0.3 * one + 0.8 * other])
        canvas = SpectrogramCodec().encode(channels)
        mixed = channels.mean(dim=0, keepdim=True)
        target = Picture("mixed", SpectrogramCodec().encode(mixed), mixed)
        ours, theirs = SpectrogramCodec().decode(canvas), reference(Picture("stereo", canvas, None))
        errors = [_downmix_px(wave, target) for wave in (ours, theirs)]
        ratios.append(errors[0] / errors[1])
    return {"downmix_px_ratio": statistics.fmean(ratios)} if ratios else {}


def _downmix_px(wave: Tensor, target: Picture) -> float:
    _, mel = gain_matched(wave.mean(dim=0, keepdim=True), target.mel)
    return float(pixel_errors(mel, target).mean())


def outputs(seeds: Sequence[Picture]) -> dict[str, float]:
    """True peak after MP3 decoding, and clipped samples, of encoded clips."""
    peaks, clipped = [], 0
    for picture in seeds:
        wave = normalize_loudness(SpectrogramCodec().decode(picture.canvas), RATE)
        heard = decode_audio(encode_audio(wave, RATE, "mp3"), max_seconds=10)
        peaks.append(true_peak_db(heard, RATE))
        clipped += int((heard.abs() >= 1).sum())
    return {"mp3_true_peak_db_worst": max(peaks), "clipped_samples": float(clipped)}
