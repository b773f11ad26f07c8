import numpy as np
import pytest
import torch
from torch import Tensor

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.bands import audible_bands
from riffusion.spectrogram.grid import grid_for
from riffusion.spectrogram.mel import mel_filters, mel_spectrogram


def test_iterations_run_at_twice_the_highest_frequency() -> None:
    grid = grid_for(SpectrogramParams())
    assert grid is not None
    assert (grid.rate, grid.hop, grid.win, grid.n_fft) == (20_000, 200, 2000, 4000)
    assert (grid.out_hop, grid.out_win, grid.out_n_fft) == (441, 4410, 8820)
    assert grid_for(SpectrogramParams(stereo=True, max_value=1.0)) is grid


@pytest.mark.parametrize("params", [SpectrogramParams(step_ms=5), SpectrogramParams(window_ms=93)])
def test_durations_that_are_not_whole_samples_have_none(params: SpectrogramParams) -> None:
    assert grid_for(params) is None


def test_bands_without_a_bin_are_left_out() -> None:
    params = SpectrogramParams(padded_ms=100)
    grid = grid_for(params)
    assert grid is not None
    empty = np.flatnonzero(mel_filters(params).sum(0) == 0)
    assert 0 < len(empty) < 200
    assert not np.isin(empty, grid.bands).any()
    assert len(grid.bands) + len(empty) == 512
    assert (grid.area > 0).all()
    assert (grid.below < len(grid.bands) - 1).all()


def test_it_is_no_finer_than_the_sound() -> None:
    grid = grid_for(SpectrogramParams(max_hz=96_000))
    assert grid is not None
    assert grid.rate == 45_000


@pytest.mark.parametrize("params", [SpectrogramParams(), SpectrogramParams(min_hz=5000), SpectrogramParams(max_hz=900)])
def test_bands_that_can_be_heard_are_counted_as_the_filters_have_them(params: SpectrogramParams) -> None:
    grid = grid_for(params)
    assert grid is not None
    inaudible = sum(b < 5 for b in grid.bands) if params.min_hz == 0 else 0
    assert abs(audible_bands(params) - len(grid.bands)) <= max(inaudible, 20)


def test_its_bands_are_those_of_the_analysis() -> None:
    """The same tone, heard by the analysis at 44.1 kHz and by the grid's filters at 20 kHz."""
    params, grid = SpectrogramParams(), grid_for(SpectrogramParams())
    assert grid is not None
    for hertz in (60, 440, 3000, 9000):
        fine: Tensor = torch.sin(2 * torch.pi * hertz * torch.arange(44_100) / 44_100)[None]
        analysed = mel_spectrogram(fine, params)[0, :, 50].numpy()
        window = np.hanning(grid.win + 1)[:-1]
        spectrum = np.abs(np.fft.rfft(np.sin(2 * np.pi * hertz * np.arange(grid.win) / grid.rate) * window, grid.n_fft))
        bands = [
            weights @ spectrum[first : first + len(weights)]
            for first, weights in zip(grid.band_bin, np.split(grid.band_weight, grid.band_start[1:-1]), strict=True)
        ]
        np.testing.assert_allclose(bands, analysed, atol=0.03 * analysed.max())
