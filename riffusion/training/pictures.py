"""Samples to spectrogram pictures, in the project's format."""

import functools

import numpy as np
import numpy.typing as npt
import torch
import torchaudio

PICTURE_SIZE = (512, 512)
_CEILING = 3960  # STFT bins below 10 kHz are all that the mel bins see (2.5 Hz a bin)


@functools.cache
def _transform() -> tuple[torch.Tensor, torch.Tensor]:
    bank = torchaudio.functional.melscale_fbanks(8821, 0.0, 10000.0, 512, 44100, norm=None, mel_scale="htk")
    return torch.hann_window(4410), bank[:4001].T.to_sparse_csr()


def picture_of(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """(512, 512) grey levels of mono samples at 44.1 kHz, low frequencies at the bottom, loud is dark."""
    torch.set_num_threads(1)
    window, bank = _transform()
    stft = torch.stft(torch.from_numpy(samples), 17640, 441, 4410, window, return_complex=True)
    mel = bank @ stft[:4001, :512].abs()
    grey = 255 - 255 * (mel / mel.max().clamp_min(1e-9)) ** 0.25
    picture: npt.NDArray[np.uint8] = grey.flip(0).round().clamp(0, 255).to(torch.uint8).numpy()
    return picture
