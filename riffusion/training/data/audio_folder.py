"""A folder of audio with captions as a data set: clips of 512 frames, cut on beats, equally loud, split by track.

Captions come from `captions.csv` (columns `file` and `caption`), else from a text file beside each audio file (a
wording a line), else from the file's name.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from riffusion.audio.decode import decode_audio
from riffusion.audio.loudness import normalize_loudness
from riffusion.errors import UnreadableMedia
from riffusion.training.data.beats import beat_times
from riffusion.training.data.clip_pictures import CLIP_SAMPLES, SAMPLE_RATE, Pictures, picture_of

AUDIO_SUFFIXES = frozenset({".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus"})
_LONGEST_TRACK_S = 3600.0
_SILENCE = 1e-3  # a clip whose loudest sample is below this is left out


@dataclass(frozen=True)
class Clip:
    """A clip cut from a track."""

    track: str
    """The track's file name."""
    start: float
    """Seconds from the track's beginning."""
    captions: tuple[str, ...]
    held_out: bool
    """Whether it is kept for testing."""


@dataclass(frozen=True)
class AudioFolder:
    """The prepared data set."""

    pictures: Pictures
    """[N, 512, 512], in the order of `clips`."""
    clips: tuple[Clip, ...]


def prepare(folder: Path, cache: Path, held_out: float = 0.1, *, on_beats: bool = True) -> AudioFolder:
    """Cuts every track of `folder` into clips, or reads them from `cache` where that was done before.

    Args:
        folder: searched with its subfolders for audio files.
        cache: a folder for the pictures; delete it after the audio has changed.
        held_out: share of the tracks, 0 to 1, whose clips are for testing only.
        on_beats: begin clips on detected beats, not wherever the clip before ended.

    Raises:
        UnreadableMedia: a file is damaged, or the folder has no audio, or no caption for a file.
    """
    index, pictures = cache / "clips.jsonl", cache / "pictures.npy"
    if not index.exists():
        cache.mkdir(parents=True, exist_ok=True)
        tracks = find_tracks(folder)
        kept = held_out_tracks(list(tracks), held_out)
        cut = [
            clip
            for path, captions in tqdm(tracks.items(), "tracks")
            for clip in _cut(path, captions, path in kept, on_beats)
        ]
        if not cut:
            raise UnreadableMedia(
                f"No clip of {CLIP_SAMPLES / SAMPLE_RATE:.2f} s could be cut from the audio in {folder.name}."
            )
        np.save(pictures, np.stack([picture for picture, _ in cut]))
        index.write_text("".join(json.dumps(asdict(clip)) + "\n" for _, clip in cut))
    entries = [json.loads(line) for line in index.read_text().splitlines()]
    clips = tuple(Clip(**{**entry, "captions": tuple(entry["captions"])}) for entry in entries)
    return AudioFolder(np.load(pictures, mmap_mode="r"), clips)


def find_tracks(folder: Path) -> dict[Path, tuple[str, ...]]:
    """Audio files and their captions, sorted by name.

    Raises:
        UnreadableMedia: there is no audio, or `captions.csv` lacks a file.
    """
    found = (path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    paths = sorted(path for path in found if not path.name.startswith("."))  # macOS puts "._x.wav" into archives
    if not paths:
        raise UnreadableMedia(f"There are no audio files ({', '.join(sorted(AUDIO_SUFFIXES))}) in {folder.name}.")
    table = folder / "captions.csv"
    if not table.exists():
        return {path: _captions_beside(path) for path in paths}
    with table.open(newline="", encoding="utf-8-sig") as file:  # Excel begins with a byte order mark
        try:
            rows = list(csv.DictReader(file))
        except UnicodeDecodeError:
            raise UnreadableMedia("The file captions.csv isn't UTF-8: save it as “CSV UTF-8”.") from None
    captions: dict[str, list[str]] = {}
    for row in rows:
        if not row.get("file") or not row.get("caption"):
            raise UnreadableMedia("The file captions.csv needs the columns file and caption, filled in each row.")
        captions.setdefault(row["file"], []).append(row["caption"])
    missing = [name for path in paths if (name := path.relative_to(folder).as_posix()) not in captions]
    if missing:
        raise UnreadableMedia(f"The file captions.csv has no row for {', '.join(missing[:5])}.")
    return {path: tuple(captions[path.relative_to(folder).as_posix()]) for path in paths}


def _captions_beside(path: Path) -> tuple[str, ...]:
    """The lines of the text file beside it; else the words of its name, without a track number."""
    text = path.with_suffix(".txt")
    if text.exists():
        try:
            content = text.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UnreadableMedia(f"The captions in {text.name} aren't UTF-8: save the file as UTF-8.") from None
        lines = tuple(line.strip() for line in content.splitlines() if line.strip())
        if lines:
            return lines
    words = re.sub(r"^\d+[\s._-]+", "", path.stem)
    return (re.sub(r"[\s_-]+", " ", words).strip() or path.stem,)


def held_out_tracks(paths: list[Path], share: float) -> set[Path]:
    """The tracks kept for testing, chosen by their names' hashes: adding tracks moves few others.

    With two tracks or more and a share above 0, at least one is kept and at least one is not.
    """
    count = round(len(paths) * share)
    if share > 0 and len(paths) > 1:
        count = min(max(count, 1), len(paths) - 1)
    return set(sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())[:count])


def _cut(path: Path, captions: tuple[str, ...], held_out: bool, on_beats: bool) -> Iterator[tuple[Pictures, Clip]]:
    """Pictures [512, 512] of the clips of a track that aren't silent, and the clips."""
    wave = decode_audio(path, max_seconds=_LONGEST_TRACK_S, sample_rate=SAMPLE_RATE).mean(0, keepdim=True)
    samples: npt.NDArray[np.float32] = normalize_loudness(wave, SAMPLE_RATE)[0].numpy()
    for start in clip_starts(samples, on_beats=on_beats):
        piece = samples[start : start + CLIP_SAMPLES]
        if np.abs(piece).max() >= _SILENCE:
            yield picture_of(piece), Clip(path.name, start / SAMPLE_RATE, captions, held_out)


def clip_starts(samples: npt.NDArray[np.float32], *, on_beats: bool) -> list[int]:
    """The first sample of each clip in mono samples [T] at 44.1 kHz: the first beat after the previous clip's end."""
    last = len(samples) - CLIP_SAMPLES
    if last < 0:
        return []
    if not on_beats:
        return list(range(0, last + 1, CLIP_SAMPLES))
    beats = np.round(beat_times(samples, SAMPLE_RATE) * SAMPLE_RATE).astype(int)
    if not len(beats):
        return clip_starts(samples, on_beats=False)
    starts, free_from = [], 0
    for beat in beats:
        if free_from <= beat <= last:
            starts.append(int(beat))
            free_from = int(beat) + CLIP_SAMPLES
    return starts
