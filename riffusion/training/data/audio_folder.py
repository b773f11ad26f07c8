"""A folder of audio with captions as a data set: clips of 512 frames, cut on beats, equally loud, split by track.

Captions come from `captions.csv` (columns `file` and `caption`), else from a text file beside each audio file (a
wording a line), else from the file's name.
"""

import csv
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from riffusion.audio.decode import decode_audio
from riffusion.audio.loudness import normalize_loudness
from riffusion.errors import SetupError, UnreadableMedia
from riffusion.training.data.array_cache import ArrayCache, digest, file_digest
from riffusion.training.data.beats import beat_times
from riffusion.training.data.clip_pictures import CLIP_SAMPLES, FRAMES, SAMPLE_RATE, Pictures, picture_of

AUDIO_SUFFIXES = frozenset({".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus"})
_LONGEST_TRACK_S = 3600.0
_SILENCE = 1e-3  # a clip whose loudest sample is below this is left out


@dataclass(frozen=True)
class Track:
    """The clips cut from a track."""

    captions: tuple[str, ...]
    """The wordings, of each of its clips."""
    held_out: bool
    """Whether it is kept for testing."""
    key: str
    """Of the pictures in the cache: another one when the audio has changed, or what is done with it."""
    pictures: Pictures
    """[N, 512, 512], read from disk as they are used."""


def prepare(folder: Path, cache: ArrayCache, held_out: float = 0.1, *, on_beats: bool = True) -> tuple[Track, ...]:
    """Cuts the tracks of `folder` into clips, those that `cache` doesn't have yet.

    Args:
        folder: searched with its subfolders for audio files.
        held_out: share of the tracks, 0 to 1, whose clips are for testing only.
        on_beats: begin clips on detected beats, not wherever the clip before ended.

    Raises:
        SetupError: the cache lies in the folder of audio, as an output folder in it would.
        UnreadableMedia: a file is damaged, or the folder has no audio, or no caption for a file, or none to train on.
    """
    if cache.folder.resolve().is_relative_to(folder.resolve()):
        raise SetupError(
            f"The output folder lies in the audio's, {folder.name}: its samples would be taken for tracks. Choose one "
            "outside."
        )
    found = find_tracks(folder)
    kept = held_out_tracks(list(found), held_out)
    tracks = []
    for path, captions in tqdm(found.items(), "tracks"):
        try:
            key = digest("pictures", file_digest(path), on_beats)
        except OSError as error:
            raise UnreadableMedia(f"{_name(path, folder)} can't be read ({error.strerror}).") from error
        pictures = cache.get(key, partial(_cut, path, _name(path, folder), on_beats=on_beats))
        tracks.append(Track(captions, path in kept, key, pictures))
    if not any(len(track.pictures) for track in tracks if not track.held_out):
        some = "those that aren't held out" if kept else "the audio"
        raise UnreadableMedia(
            f"There is nothing to train on: no clip of {CLIP_SAMPLES / SAMPLE_RATE:.2f} s with sound could be cut "
            f"from {some} in {folder.name}. Add longer tracks{', or hold none out (--held-out 0)' if kept else ''}."
        )
    return tuple(tracks)


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
        texts = {_name(text, folder): text for text in folder.rglob("*.txt")}
        return {path: _captions_of(path, texts.get(_name(path.with_suffix(".txt"), folder))) for path in paths}
    with table.open(newline="", encoding="utf-8-sig") as file:  # Excel begins with a byte order mark
        try:
            rows = list(csv.DictReader(file))
        except UnicodeDecodeError:
            raise UnreadableMedia("The file captions.csv isn't UTF-8: save it as “CSV UTF-8”.") from None
    captions: dict[str, list[str]] = {}
    for row in rows:
        if not row.get("file") or not row.get("caption"):
            raise UnreadableMedia("The file captions.csv needs the columns file and caption, filled in each row.")
        captions.setdefault(unicodedata.normalize("NFC", row["file"]), []).append(row["caption"])
    missing = [name for path in paths if (name := _name(path, folder)) not in captions]
    if missing:
        raise UnreadableMedia(f"The file captions.csv has no row for {', '.join(missing[:5])}.")
    return {path: tuple(captions[_name(path, folder)]) for path in paths}


def _name(path: Path, folder: Path) -> str:
    """The track's name in the folder, in one form: macOS writes "é" as two characters, editors as one."""
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


def _captions_of(path: Path, text: Path | None) -> tuple[str, ...]:
    """The lines of the text file beside a track; else the words of the track's name, without a number."""
    if text:
        try:
            content = text.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UnreadableMedia(f"The captions in {text.name} aren't UTF-8: save the file as UTF-8.") from None
        lines = tuple(line.strip() for line in content.splitlines() if line.strip())
        if lines:
            return lines
    words = re.sub(r"^\d+[\s._-]+", "", unicodedata.normalize("NFC", path.stem))
    return (re.sub(r"[\s_-]+", " ", words).strip() or path.stem,)


def held_out_tracks(paths: list[Path], share: float) -> set[Path]:
    """The tracks kept for testing, chosen by their names' hashes: adding tracks moves few others.

    With two tracks or more and a share above 0, at least one is kept and at least one is not.
    """
    count = round(len(paths) * share)
    if share > 0 and len(paths) > 1:
        count = min(max(count, 1), len(paths) - 1)
    names = {path: _name(path, path.parent).encode() for path in paths}
    return set(sorted(paths, key=lambda path: hashlib.sha256(names[path]).digest())[:count])


def _cut(path: Path, name: str, *, on_beats: bool) -> Pictures:
    """Pictures [N, 512, 512] of the clips of a track that aren't silent.

    Raises:
        UnreadableMedia: with the track's name.
    """
    try:
        wave = decode_audio(path, max_seconds=_LONGEST_TRACK_S, sample_rate=SAMPLE_RATE).mean(0, keepdim=True)
    except UnreadableMedia as error:
        raise UnreadableMedia(f"{name}: {error} Repair the track or take it out of the folder.") from error
    samples: npt.NDArray[np.float32] = normalize_loudness(wave, SAMPLE_RATE)[0].numpy()
    pieces = (samples[start : start + CLIP_SAMPLES] for start in clip_starts(samples, on_beats=on_beats))
    pictures = [picture_of(piece) for piece in pieces if np.abs(piece).max() >= _SILENCE]
    return np.stack(pictures) if pictures else np.zeros((0, FRAMES, FRAMES), np.uint8)


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
