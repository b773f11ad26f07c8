"""The same retrieval in plain torch, for tensors on an accelerator: all channels and frames of a sound at once."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from riffusion.spectrogram.grid import Grid
from riffusion.spectrogram.retrieval import QUIET, THIN, Schedule


class _Lengths(NamedTuple):
    hop: int
    win: int
    n_fft: int


def retrieve(
    target: Tensor, level: Tensor, phases: Tensor, weight: Tensor, *, grid: Grid, schedule: Schedule, loop: bool
) -> Tensor:
    """Wave [C, (frames - 1) * out_hop], or a hop more as a loop, whose mel spectrogram approaches `target`.

    Args:
        target: mel magnitudes [C, frames, bands].
        level: their logarithms [C, frames, win // 2 + 1] at the bins of the window's own FFT.
        phases: to start from [frames, win // 2 + 1], counted from the frames' centres.
        weight: of frames in the overlap-add [C, frames].
    """
    slow = _Lengths(grid.hop, grid.win, grid.n_fft)
    fast = _Lengths(grid.out_hop, grid.out_win, grid.out_n_fft)
    imposing = _Imposing(target, grid)
    first = torch.polar(level.exp(), phases.expand_as(level).contiguous())
    wave = before = _inverse(first, weight, slow._replace(n_fft=grid.win), loop=loop)
    for _ in range(schedule.iterations - 1):
        projected = _inverse(imposing(_forward(wave, slow, loop=loop), eager=schedule.eager), weight, slow, loop=loop)
        wave = projected + schedule.momentum * (projected - before)
        before = projected
    spectra = imposing(_forward(wave, slow, loop=loop), eager=False)
    frames = target.shape[1] if loop else target.shape[1] - 1
    return _inverse(spectra, weight, fast, loop=loop)[:, : frames * grid.out_hop] * (grid.out_win / grid.win)


class _Imposing:
    """Scales spectra [C, frames, bins] so that their mel magnitudes approach the target, as `kernels.impose` does."""

    def __init__(self, target: Tensor, grid: Grid) -> None:
        self._target = target
        self._floor = QUIET * target.amax().clamp_min(1e-30)
        bins = torch.cat([torch.arange(b, b + n) for b, n in zip(grid.band_bin, grid.band_count, strict=True)])
        bands = torch.repeat_interleave(torch.arange(grid.bands), torch.from_numpy(grid.band_count))
        filters = torch.zeros(grid.bins, grid.bands)
        filters[bins, bands] = torch.from_numpy(grid.band_weight)
        self._filters = filters.to(target.device)
        self._below = torch.from_numpy(grid.below).long().to(target.device)
        self._share = torch.from_numpy(grid.share).to(target.device)

    def __call__(self, spectra: Tensor, *, eager: bool) -> Tensor:
        ratio = self._target / (spectra.abs() @ self._filters + self._floor)
        if eager:
            ratio = ratio**1.25
        return spectra * torch.lerp(ratio[..., self._below], ratio[..., self._below + 1], self._share)


def _forward(wave: Tensor, lengths: _Lengths, *, loop: bool) -> Tensor:
    """Spectra [C, frames, bins] of a wave [C, T], its phases counted from the frames' centres."""
    half = lengths.win // 2
    if loop:
        turns = -(-half // wave.shape[1])
        around = wave.repeat(1, 2 * turns + 1)
        start = turns * wave.shape[1] - half
        padded = around[:, start : start + wave.shape[1] + lengths.win - lengths.hop]
    else:
        padded = _mirrored(wave, half)
    frames = padded.unfold(1, lengths.win, lengths.hop) * torch.hann_window(lengths.win, device=wave.device)
    frames = F.pad(frames, (0, lengths.n_fft - lengths.win)).roll(-half, dims=-1)
    spectra: Tensor = torch.fft.rfft(frames)
    return spectra


def _mirrored(wave: Tensor, half: int) -> Tensor:
    """A wave with as many samples of its mirror image at either end; short ones are mirrored again and again."""
    last = wave.shape[1] - 1
    index = torch.arange(-half, wave.shape[1] + half, device=wave.device).abs() % max(2 * last, 1)
    return wave[:, torch.minimum(index, 2 * last - index)]


def _inverse(spectra: Tensor, weight: Tensor, lengths: _Lengths, *, loop: bool) -> Tensor:
    """Wave of spectra [C, frames, bins]: overlap-add, each frame times its weight [C, frames]."""
    hop, win, n_fft = lengths
    half, count = win // 2, spectra.shape[1]
    window = torch.hann_window(win, device=spectra.device)
    frames = torch.fft.irfft(spectra[..., : n_fft // 2 + 1], n=n_fft).roll(half, dims=-1)[..., :win]
    total = _overlapped(weight[..., None] * window**2, hop)
    wave = _overlapped(weight[..., None] * frames * window, hop)
    if loop:
        total, wave = (_wound(sound, count * hop) for sound in (total, wave))
        return torch.roll(wave / total.clamp_min(THIN), -half, dims=1)
    # One sample more than is heard: the last frame's centre, about which the analysis mirrors.
    return (wave / total.clamp_min(THIN))[:, half : half + (count - 1) * hop + 1]


def _overlapped(frames: Tensor, hop: int) -> Tensor:
    channels, count, win = frames.shape
    length = (count - 1) * hop + win
    columns = frames.transpose(1, 2)
    return F.fold(columns, output_size=(1, length), kernel_size=(1, win), stride=(1, hop)).reshape(channels, length)


def _wound(wave: Tensor, period: int) -> Tensor:
    turns = -(-wave.shape[1] // period)
    return F.pad(wave, (0, turns * period - wave.shape[1])).view(len(wave), turns, period).sum(dim=1)
