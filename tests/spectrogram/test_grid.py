import numpy as np
import pytest
import torch
from torch import Tensor

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.grid import grid_for
from riffusion.spectrogram.mel import mel_spectrogram


def test_iterations_run_at_twice_the_highest_frequency() -> None:
    grid = grid_for(SpectrogramParams())
    assert grid is not None
    assert (grid.rate, grid.hop, grid.win, grid.n_fft) == (20_000, 200, 2000, 4000)
    assert (grid.out_hop, grid.out_win, grid.out_n_fft) == (441, 4410, 8820)
    assert grid_for(SpectrogramParams(stereo=True, max_value=1.0)) is grid


@pytest.mark.parametrize("params", [SpectrogramParams(step_ms=5), SpectrogramParams(window_ms=93)])
def test_durations_that_are_not_whole_samples_have_none(params: SpectrogramParams) -> None:
    assert grid_for(params) is None


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
