import pytest
import torch
from torch import Tensor
from torchaudio.transforms import MelScale, Spectrogram

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.mel import mel_spectrogram

PARAMS = SpectrogramParams()


def test_it_is_the_original_analysis(wave: Tensor) -> None:
    """The original's own transforms, with its settings."""
    spectrum = Spectrogram(n_fft=17640, hop_length=441, win_length=4410, power=None)(wave).abs()
    mel = MelScale(512, 44100, 0.0, 10000.0, 17640 // 2 + 1, norm=None, mel_scale="htk")(spectrum)
    torch.testing.assert_close(mel_spectrogram(wave, PARAMS), mel, rtol=1e-4, atol=1e-6 * float(mel.max()))


@pytest.mark.parametrize(("samples", "columns"), [(1, 2), (440, 2), (441, 2), (442, 3), (2204, 6), (9999, 24)])
def test_any_length(wave: Tensor, samples: int, columns: int) -> None:
    mel = mel_spectrogram(wave[:, :samples], PARAMS)
    assert mel.shape == (1, 512, columns)
    assert mel.isfinite().all()


def test_long_sounds_are_analysed_in_blocks(wave: Tensor) -> None:
    long = wave.repeat(1, 3)
    whole = mel_spectrogram(long, PARAMS)
    torch.testing.assert_close(mel_spectrogram(long[:, : 60 * 441], PARAMS)[..., :50], whole[..., :50])


def test_a_loop_has_no_ends(wave: Tensor) -> None:
    mel = mel_spectrogram(wave, PARAMS, loop=True)
    turned = mel_spectrogram(wave.roll(7 * 441, dims=1), PARAMS, loop=True)
    assert mel.shape[2] == 100
    torch.testing.assert_close(turned, mel.roll(7, dims=2))
