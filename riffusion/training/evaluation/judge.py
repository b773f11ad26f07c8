"""The judge: classifies the kind, lead instrument and tempo of a spectrogram picture.

It is a small network on hand-made features, trained on renderings, on what the autoencoder makes of them, and on
counterexamples of both. It is fixed before the generator is trained and never trained on the generator's output, so
that its verdicts on generated pictures are independent.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from riffusion.training.data.music import FAMILY, INSTRUMENTS, KINDS, TEMPI
from riffusion.training.data.piece import Piece
from riffusion.training.evaluation.judge_features import features, loudness_of

Floats = npt.NDArray[np.float32]
BUNDLED = Path(__file__).parent
WRONG = "none of these"
"""The lead of a clip whose instrument sounds like no real one."""
IGNORED = -100
"""Class index of what isn't known; PyTorch's cross entropy leaves it out."""
_WRONG_WEIGHT = 0.35  # of a counterexample in the loss: in doubt, a lead is right


@dataclass(frozen=True)
class Verdict:
    """The judge's classification of a clip."""

    kind: str
    likeliest_lead: str | None
    """The likeliest among real instruments; None where no melody or chords play."""
    bpm: float
    rejected: bool = False
    """Whether the lead sounds like no instrument rather than like any."""

    @property
    def lead(self) -> str | None:
        """`WRONG` where it is rejected, else the likeliest."""
        return WRONG if self.rejected else self.likeliest_lead

    @property
    def family(self) -> str | None:
        """The instrument family of the lead."""
        return FAMILY.get(self.lead) if self.lead else None


@dataclass(frozen=True)
class Classes:
    """The classes that a judge distinguishes."""

    kind: tuple[str, ...] = KINDS
    lead: tuple[str | None, ...] = (None, *(instrument.name for instrument in INSTRUMENTS), WRONG)
    bpm: tuple[float, ...] = TEMPI

    def of(self, piece: Piece) -> list[int]:
        """The class indices of a piece's kind, lead and tempo."""
        lead = piece.lead.name if piece.lead else None
        return [self.kind.index(piece.kind), self.lead.index(lead), self.bpm.index(piece.bpm)]

    def rejected(self, indices: Sequence[int], *, tempo_stays: bool) -> list[int]:
        """The class indices of a clip after its lead became wrong."""
        return [indices[0], self.lead.index(WRONG), indices[2] if tempo_stays else IGNORED]


class Judge(nn.Module):
    """A multilayer perceptron on standardised features, with one head each for kind, lead and tempo."""

    mean: torch.Tensor
    """[F] of the training data's features."""
    scale: torch.Tensor
    """[F]: their standard deviations."""

    def __init__(self, inputs: int, classes: Classes, width: int = 320) -> None:
        super().__init__()
        self.classes = classes
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.body = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(inputs, width), nn.GELU(), nn.Dropout(0.4), nn.Linear(width, width), nn.GELU()
        )
        sizes = (len(classes.kind), len(classes.lead), len(classes.bpm))
        self.heads = nn.ModuleList([nn.Linear(width, size) for size in sizes])

    def forward(self, batch: torch.Tensor) -> list[torch.Tensor]:
        """Logits [N, classes] of kind, lead and tempo for features [N, F]."""
        hidden = self.body((batch - self.mean) / self.scale)
        return [head(hidden) for head in self.heads]

    def verdicts(self, pictures: Iterable[npt.NDArray[np.uint8]]) -> list[Verdict]:
        """The verdict on each picture [512, 512]."""
        return self.classify(np.stack([features(loudness_of(picture)) for picture in pictures]))

    @torch.no_grad()
    def classify(self, inputs: Floats) -> list[Verdict]:
        """The verdict on each of the features [N, F]."""
        self.eval()
        classes = self.classes
        kinds, leads, tempi = self(torch.from_numpy(inputs))
        wrong = classes.lead.index(WRONG)
        rejected = leads.argmax(1) == wrong
        leads[:, wrong] = -torch.inf
        choices = zip(
            *(each.tolist() for each in (kinds.argmax(1), leads.argmax(1), tempi.argmax(1), rejected)), strict=True
        )
        return [
            Verdict(classes.kind[kind], classes.lead[lead], classes.bpm[bpm], no_lead)
            for kind, lead, bpm, no_lead in choices
        ]

    def save(self, scores: dict[str, Any], folder: Path = BUNDLED) -> None:
        """Writes the weights, in half precision, and the judge's classes and scores on held-out renderings."""
        halves = {name: weight.half() for name, weight in self.state_dict().items()}
        save_file(halves, folder / "judge.safetensors")
        contents = {"classes": vars(self.classes), "scores": scores}
        (folder / "judge.json").write_text(json.dumps(contents, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path = BUNDLED) -> "Judge":
        """The judge that `save` wrote, with its own classes; by default the one of the bundled model's figures."""
        weights = load_file(folder / "judge.safetensors")
        stored = json.loads((folder / "judge.json").read_text())["classes"]
        judge = cls(len(weights["mean"]), Classes(**{name: tuple(values) for name, values in stored.items()}))
        judge.load_state_dict(weights)
        return judge.eval()


def scores_on_real(folder: Path = BUNDLED) -> dict[str, Any]:
    """The saved judge's scores, 0 to 1, on held-out renderings from when it was trained."""
    scores: dict[str, Any] = json.loads((folder / "judge.json").read_text())["scores"]
    return scores


def train_judge(inputs: Floats, labels: torch.Tensor, epochs: int = 30, seed: int = 0) -> Judge:
    """Trains a judge on features [N, F] and the class indices [N, 3] of kind, lead and tempo."""
    torch.manual_seed(seed)
    data = torch.from_numpy(inputs)
    judge = Judge(data.shape[1], Classes())
    judge.mean.copy_(data.mean(0))
    judge.scale.copy_(data.std(0).clamp_min(1e-4))
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1e-3, weight_decay=0.02)
    steps = epochs * (len(data) // 128 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    lead_weights = torch.ones(len(judge.classes.lead))
    lead_weights[judge.classes.lead.index(WRONG)] = _WRONG_WEIGHT
    weights = (None, lead_weights, None)
    judge.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(data)).split(128):  # type: ignore[no-untyped-call]
            scores = judge(data[rows])
            losses = [
                F.cross_entropy(each, labels[rows, n], weights[n], label_smoothing=0.05)
                for n, each in enumerate(scores)
            ]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return judge.eval()
