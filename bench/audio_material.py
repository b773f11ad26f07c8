"""The pictures to reconstruct: the seed images, and pictures of recordings."""

from pathlib import Path

import torch.nn.functional as F
from audio_metrics import Picture, encoded
from recordings import recordings

from riffusion.audio.decode import decode_audio
from riffusion.geometry import CLIP_COLUMNS, DEFAULT
from riffusion.seeds import list_seeds, open_seed
from riffusion.spectrogram.canvas import Canvas

LONGEST_S = 600


def seed_pictures() -> list[Picture]:
    """The built-in seed images."""
    return [Picture(seed.name, Canvas.open(open_seed(seed.name)), None) for seed in list_seeds()]


def recorded_pictures(files: list[Path]) -> list[Picture]:
    """Pictures of 512 columns from the middle of recordings: of the files given, or of those in `recordings`."""
    return [_middle(file) for file in files or recordings()]


def _middle(file: Path) -> Picture:
    wave = decode_audio(file, max_seconds=LONGEST_S).mean(dim=0, keepdim=True)
    samples = DEFAULT.samples(CLIP_COLUMNS)
    start = max(0, (wave.shape[1] - samples) // 2)
    piece = wave[:, start : start + samples]
    return encoded(file.stem, F.pad(piece, (0, samples - piece.shape[1])))
