"""The judge: classifies the kind, lead instrument and tempo of a spectrogram picture.

It is a small network on hand-made features, trained on renderings only. It is fixed before the generator is trained and
never trained on the generator's output, so that its verdicts on generated pictures are independent.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from scipy.fft import dct
from torch import nn

from riffusion.training.data.music import FAMILY, INSTRUMENTS, KINDS, TEMPI
from riffusion.training.data.piece import Piece

Floats = npt.NDArray[np.float32]
FRAMES_PER_SECOND = 100
BUNDLED = Path(__file__).parent
LEADS: tuple[str | None, ...] = (None, *(instrument.name for instrument in INSTRUMENTS))
_BANDS = ((0, 24), (24, 64), (64, 128), (128, 256), (256, 512))  # mel bins: from the bass drum to the cymbals


@dataclass(frozen=True)
class Verdict:
    """The judge's classification of a clip."""

    kind: str
    lead: str | None
    """None where no melody or chords play."""
    bpm: float

    @property
    def family(self) -> str | None:
        """The instrument family of the lead."""
        return FAMILY[self.lead] if self.lead else None


def features(picture: npt.NDArray[np.uint8]) -> Floats:
    """Features [F] of timbre and rhythm of a picture [512, 512]."""
    loudness = ((255 - picture[::-1, :512]) / 255).astype(np.float32)
    return np.concatenate([_timbre(loudness), _rhythm(loudness)]).astype(np.float32)


def _timbre(loudness: Floats) -> Floats:
    """Mean, spread, attack and sustain spectra in 128 bands, and their cepstra, which show the harmonics' spacing.

    Args:
        loudness: [512 mel bands from low to high, 512 frames], 0 to 1.
    """
    rise = np.maximum(np.diff(loudness, axis=1, prepend=loudness[:, :1]), 0)
    attack = rise.mean(0)
    strong = attack >= np.quantile(attack, 0.9)
    steady = attack <= np.quantile(attack, 0.5)
    spectra = [
        loudness.mean(1),
        loudness.std(1),
        rise.mean(1),
        loudness[:, strong].mean(1),
        loudness[:, steady].mean(1),
    ]
    banded = [spectrum.reshape(128, 4).mean(1) for spectrum in spectra]
    cepstra = [dct(spectrum, norm="ortho")[1:81] for spectrum in spectra]
    # Harmonics of single frames, whatever their pitch: the mean magnitude of each frame's own cepstrum.
    frames = np.abs(dct(loudness[:, ::4], axis=0, norm="ortho")[2:202]).mean(1)
    peaks = np.sort(loudness[:, ::4], axis=0)[::-1][[0, 3, 9, 19, 39, 79, 159]].mean(1)
    return np.concatenate([*banded, *cepstra, frames, peaks])


def _rhythm(loudness: Floats) -> Floats:
    """How strongly each band's onsets match the grid of each tempo; `loudness` as in `_timbre`."""
    rise = np.maximum(np.diff(loudness, axis=1, prepend=loudness[:, :1]), 0)
    result: list[Floats] = []
    for low, high in _BANDS:
        onset = rise[low:high].mean(0)
        onset = onset / (onset.std() + 1e-6)
        spectrum = onset - onset.mean()
        correlation = np.correlate(spectrum, spectrum, "full")[len(onset) :] / len(onset)
        result.append(correlation[8:200].astype(np.float32))
        for bpm in TEMPI:
            result.append(_grid(onset, bpm))
    return np.concatenate(result)


def _grid(onset: Floats, bpm: float) -> Floats:
    """Mean onset strengths [8] at the four sixteenths of a beat and at the four beats of a bar, of onsets [frames]."""
    step = 60 / bpm / 4 * FRAMES_PER_SECOND
    places = np.round(np.arange(0, len(onset) - 3, step)).astype(int)
    near = np.maximum.reduce([onset[np.minimum(places + shift, len(onset) - 1)] for shift in (0, 1, 2, 3)])
    quarters = [near[phase::4].mean() for phase in range(4)]
    beats = [near[4 * beat :: 16].mean() for beat in range(4)]
    return np.array([*quarters, *beats], np.float32)


class Judge(nn.Module):
    """A multilayer perceptron on standardised features, with one head each for kind, lead and tempo."""

    mean: torch.Tensor
    """[F] of the training data's features."""
    scale: torch.Tensor
    """[F]: their standard deviations."""

    def __init__(self, inputs: int, width: int = 384) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.body = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(inputs, width), nn.GELU(), nn.Dropout(0.4), nn.Linear(width, width), nn.GELU()
        )
        self.heads = nn.ModuleList([nn.Linear(width, len(classes)) for classes in (KINDS, LEADS, TEMPI)])

    def forward(self, batch: torch.Tensor) -> list[torch.Tensor]:
        """Logits [N, classes] of kind, lead and tempo for features [N, F]."""
        hidden = self.body((batch - self.mean) / self.scale)
        return [head(hidden) for head in self.heads]

    @torch.no_grad()
    def verdicts(self, pictures: Iterable[npt.NDArray[np.uint8]]) -> list[Verdict]:
        """The verdict on each picture [512, 512]."""
        self.eval()
        scores = self(torch.from_numpy(np.stack([features(picture) for picture in pictures])))
        choices = zip(*(each.argmax(1).tolist() for each in scores), strict=True)
        return [Verdict(KINDS[kind], LEADS[lead], TEMPI[bpm]) for kind, lead, bpm in choices]

    def save(self, scores: dict[str, float], folder: Path = BUNDLED) -> None:
        """Writes the weights, in half precision, and the judge's scores on held-out renderings."""
        halves = {name: weight.half() for name, weight in self.state_dict().items()}
        save_file(halves, folder / "judge.safetensors")
        (folder / "judge.json").write_text(json.dumps(scores, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path = BUNDLED) -> "Judge":
        """The judge that `save` wrote; by default the one of the bundled model's figures."""
        weights = load_file(folder / "judge.safetensors")
        judge = cls(len(weights["mean"]))
        judge.load_state_dict(weights)
        return judge.eval()


def scores_on_real(folder: Path = BUNDLED) -> dict[str, float]:
    """The saved judge's scores, 0 to 1, on held-out renderings from when it was trained."""
    scores: dict[str, float] = json.loads((folder / "judge.json").read_text())
    return scores


def targets(pieces: Sequence[Piece]) -> torch.Tensor:
    """Class indices [N, 3] of kind, lead and tempo."""
    rows = [
        (KINDS.index(piece.kind), LEADS.index(piece.lead.name if piece.lead else None), TEMPI.index(piece.bpm))
        for piece in pieces
    ]
    return torch.tensor(rows)


def train_judge(inputs: Floats, labels: torch.Tensor, epochs: int = 60, seed: int = 0) -> Judge:
    """Trains a judge on features [N, F] of renderings and their class indices [N, 3]."""
    torch.manual_seed(seed)
    data = torch.from_numpy(inputs)
    judge = Judge(data.shape[1])
    judge.mean.copy_(data.mean(0))
    judge.scale.copy_(data.std(0).clamp_min(1e-4))
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1e-3, weight_decay=0.02)
    steps = epochs * (len(data) // 128 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    judge.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(data)).split(128):  # type: ignore[no-untyped-call]
            scores = judge(data[rows])
            losses = [F.cross_entropy(each, labels[rows, n], label_smoothing=0.05) for n, each in enumerate(scores)]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return judge.eval()
