"""The pictures to reconstruct: the seed images, and pictures of recordings."""

from pathlib import Path

import torch.nn.functional as F
from audio_metrics import Picture, encoded

from riffusion.audio.decode import decode_audio
from riffusion.audio.probe import probe_audio
from riffusion.errors import UnreadableMedia
from riffusion.geometry import CLIP_COLUMNS, DEFAULT
from riffusion.seeds import list_seeds, open_seed
from riffusion.spectrogram.canvas import Canvas

# Where Debian's packages put recorded music and samples (sonic-pi-samples, frozen-bubble-data, asc-music, ...).
FOLDERS = ("/usr/share/sonic-pi/samples", "/usr/share/games", "/usr/share/sounds")
SUFFIXES = {".flac", ".ogg", ".mp3", ".wav"}
LONGEST_S = 600


def seed_pictures() -> list[Picture]:
    """The built-in seed images."""
    return [Picture(seed.name, Canvas.open(open_seed(seed.name)), None) for seed in list_seeds()]


def recorded_pictures(files: list[Path], most: int) -> list[Picture]:
    """Pictures of 512 columns from the middle of recordings: of the files given, or of some found on this machine."""
    files = files or _found(most)
    if len(files) < 3:
        raise SystemExit(
            "There are no recordings: name some audio files, or install sonic-pi-samples or a game's music."
        )
    return [_middle(file) for file in files]


def _middle(file: Path) -> Picture:
    wave = decode_audio(file, max_seconds=LONGEST_S).mean(dim=0, keepdim=True)
    samples = DEFAULT.samples(CLIP_COLUMNS)
    start = max(0, (wave.shape[1] - samples) // 2)
    piece = wave[:, start : start + samples]
    return encoded(file.stem, F.pad(piece, (0, samples - piece.shape[1])))


def _found(most: int) -> list[Path]:
    """Recordings that fill a picture, spread evenly over those found, so that they differ in kind."""
    files = sorted(
        path for folder in FOLDERS for path in Path(folder).glob("**/*") if path.suffix in SUFFIXES and _fits(path)
    )
    return files[:: max(1, len(files) // most)][:most]


def _fits(path: Path) -> bool:
    try:
        return probe_audio(path, max_seconds=LONGEST_S).duration_s >= DEFAULT.seconds(CLIP_COLUMNS)
    except UnreadableMedia:
        return False
