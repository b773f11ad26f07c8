import torch
from torch import Tensor

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.griffin_lim import griffin_lim
from riffusion.spectrogram.mel import mel_spectrogram

PARAMS = SpectrogramParams()


def test_it_comes_close_and_always_the_same_way(wave: Tensor) -> None:
    mel = mel_spectrogram(wave[:, : 12 * 441], PARAMS)
    again = griffin_lim(mel, PARAMS)
    torch.manual_seed(99)
    assert torch.equal(griffin_lim(mel, PARAMS), again)
    assert again.shape == (1, 12 * 441)
    assert float((mel_spectrogram(again, PARAMS) - mel).norm() / mel.norm()) < 0.2
