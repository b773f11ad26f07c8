"""The reference reconstruction, by torchaudio: inverse mel scale by least squares, then Griffin and Lim's iteration.

D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform", IEEE TASSP 32(2), 1984; with the
momentum of N. Perraudin et al., "A fast Griffin-Lim algorithm", WASPAA 2013.
"""

import torch
from torch import Tensor
from torchaudio.functional import griffinlim
from torchaudio.transforms import InverseMelScale

from riffusion.geometry import SpectrogramParams

ITERATIONS = 32
_MOMENTUM = 0.99


def griffin_lim(mel: Tensor, params: SpectrogramParams) -> Tensor:
    """Wave [C, (N - 1) * hop] whose mel spectrogram approaches `mel` [C, B, N], of B bands and N columns.

    All phases start at zero, so that it is deterministic among threads without touching torch's random state.
    """
    columns = mel.shape[2]
    needed = params.n_fft // 2 // params.hop_length + 2  # torchaudio mirrors half a frame, which has to be there
    mel = torch.cat([mel, mel.flip(2).repeat(1, 1, -(-needed // columns))[..., : max(0, needed - columns)]], dim=2)
    inverse = InverseMelScale(
        n_stft=params.n_fft // 2 + 1,
        n_mels=params.frequencies,
        sample_rate=params.sample_rate,
        f_min=float(params.min_hz),
        f_max=float(params.max_hz),
        norm=None,
        mel_scale="htk",
        driver="gelsd",  # takes filters that miss every bin of a short FFT too
    )
    wave: Tensor = griffinlim(
        inverse(mel),
        window=torch.hann_window(params.win_length),
        n_fft=params.n_fft,
        hop_length=params.hop_length,
        win_length=params.win_length,
        power=1.0,
        n_iter=ITERATIONS,
        momentum=_MOMENTUM,
        length=None,
        rand_init=False,
    )
    return wave[:, : (columns - 1) * params.hop_length]
