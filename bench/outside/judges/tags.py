"""Features of a music tagger: musicnn, trained on MagnaTagATune's 50 tags (J. Pons et al., ISMIR 2018; ISC).

The package's code needs TensorFlow. This is its network in torch, with the weights from inside the package.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from outside.judges.tensor_bundle import read_floats

_RATE, _HOP, _WINDOW, _MELS = 16000, 256, 512, 96
_PATCH = 187  # frames: the 3 s that it was trained on
_PADDING = 3  # frames on both sides of kernels of seven
_EPSILON = 1e-3  # of batch normalisation in TensorFlow


class Tags:
    """Computes what musicnn makes of a clip before it names tags."""

    def __init__(self) -> None:
        import torch

        found = find_spec("musicnn")
        assert found
        assert found.origin
        weights = read_floats(Path(found.origin).parent / "MTT_musicnn")
        self._weights = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}

    def __call__(self, path: Path) -> npt.NDArray[np.float64]:
        """Features [1706] of a clip of at least 3 s: the penultimate layer's 200, and the middle layers' 753 means and
        753 maxima over time; the mean of its first and its last 3 s."""
        import torch

        mel = _log_mel(path)
        with torch.inference_mode():
            features = self._features(torch.from_numpy(np.stack([mel[:_PATCH], mel[-_PATCH:]])))
        return np.asarray(features.mean(0), np.float64)

    def _features(self, mel: Any) -> Any:
        """Features [N, 1706] of log-mel spectrograms [N, 187, 96]."""
        import torch
        import torch.nn.functional as F

        frames = self._normalise(mel[:, None], "")
        padded = F.pad(frames, (0, 0, _PADDING, _PADDING))
        timbre = [self._convolve(padded, name).amax(3) for name in ("", "_1")]
        rhythm = []
        for name, length in (("_2", 128), ("_3", 64), ("_4", 32)):
            same = F.pad(frames, (0, 0, (length - 1) // 2, length // 2))
            rhythm.append(self._convolve(same, name).amax(3))
        front = torch.cat([*timbre, *rhythm], 1)  # [N, 561, 187]
        layers = [front]
        for name in ("_5", "_6", "_7"):
            # The kernel covers all channels of the layer before: as a picture, [N, 1, 187 + 6, channels].
            picture = F.pad(layers[-1].transpose(1, 2)[:, None], (0, 0, _PADDING, _PADDING))
            layer = self._convolve(picture, name)[..., 0]
            layers.append(layer if name == "_5" else layer + layers[-1])
        middle = torch.cat(layers, 1)  # [N, 753, 187]
        most, mean = middle.amax(2), middle.mean(2)
        pooled = self._normalise(torch.stack([most, mean], 2).flatten(1), "_9")
        last = F.relu(pooled @ self._weights["dense/kernel"] + self._weights["dense/bias"])
        return torch.cat([self._normalise(last, "_10"), mean, most], 1)

    def _convolve(self, picture: Any, name: str) -> Any:
        """Convolution, ReLU and batch normalisation of [N, C, T, F]."""
        import torch.nn.functional as F

        kernel = self._weights[f"conv2d{name}/kernel"].permute(3, 2, 0, 1)
        found = F.relu(F.conv2d(picture, kernel, self._weights[f"conv2d{name}/bias"]))
        number = int(name[1:] or 0) + 1
        return self._normalise(found, f"_{number}")

    def _normalise(self, batch: Any, name: str) -> Any:
        """Batch normalisation with the training's means, over dimension 1."""
        import torch.nn.functional as F

        parts = ("moving_mean", "moving_variance", "gamma", "beta")
        mean, variance, gain, offset = (self._weights[f"batch_normalization{name}/{part}"] for part in parts)
        return F.batch_norm(batch, mean, variance, gain, offset, eps=_EPSILON)


def _log_mel(path: Path) -> npt.NDArray[np.float32]:
    """The network's input [T, 96]."""
    import librosa

    samples, _ = librosa.load(path, sr=_RATE)
    mel = librosa.feature.melspectrogram(y=samples, sr=_RATE, hop_length=_HOP, n_fft=_WINDOW, n_mels=_MELS).T
    return np.asarray(np.log10(10000 * mel + 1), np.float32)
