"""A folder of audio as a data set."""

import os
import unicodedata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import soundfile

from riffusion.errors import SetupError, UnreadableMedia
from riffusion.training.data.array_cache import ArrayCache
from riffusion.training.data.audio_folder import clip_starts, find_tracks, held_out_tracks, prepare
from riffusion.training.data.beats import beat_times
from riffusion.training.data.clip_pictures import CLIP_SAMPLES, SAMPLE_RATE

Form = Literal["NFC", "NFD"]


def _clicks(bpm: float, seconds: float, first: float = 0.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    burst = np.random.default_rng(0).normal(0, 0.3, 2000) * np.exp(-np.arange(2000) / 300)
    for beat in np.arange(first, seconds - 0.1, 60 / bpm):
        at = round(beat * SAMPLE_RATE)
        samples[at : at + 2000] += burst
    return samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    songs = tmp_path / "songs"
    songs.mkdir()
    for name in ("01 slow blues", "02_fast-funk"):
        soundfile.write(songs / f"{name}.wav", _clicks(120, 6.5), SAMPLE_RATE)
    return songs


def test_captions_come_from_names(folder: Path) -> None:
    assert list(find_tracks(folder).values()) == [("slow blues",), ("fast funk",)]


def test_captions_come_from_text_files_first(folder: Path) -> None:
    (folder / "01 slow blues.txt").write_text("a blues\nblues guitar\n")
    assert find_tracks(folder)[folder / "01 slow blues.wav"] == ("a blues", "blues guitar")


def test_captions_come_from_the_table_before_text_files_and_names(folder: Path) -> None:
    (folder / "captions.csv").write_text("file,caption\n01 slow blues.wav,from table\n02_fast-funk.wav,also\n")
    assert list(find_tracks(folder).values()) == [("from table",), ("also",)]


@pytest.mark.parametrize("table", ["file,caption\n01 slow blues.wav,one\n", "name,text\na,b\n"])
def test_an_incomplete_table_is_refused(folder: Path, table: str) -> None:
    (folder / "captions.csv").write_text(table)
    with pytest.raises(UnreadableMedia, match=r"captions\.csv"):
        find_tracks(folder)


def test_excels_utf_8_is_read_and_other_encodings_are_refused(folder: Path) -> None:
    rows = "file,caption\n01 slow blues.wav,flûte\n02_fast-funk.wav,flûte\n"
    (folder / "captions.csv").write_text(rows, encoding="utf-8-sig")
    assert list(find_tracks(folder).values()) == [("flûte",), ("flûte",)]
    (folder / "captions.csv").write_text(rows, encoding="latin-1")
    with pytest.raises(UnreadableMedia, match="CSV UTF-8"):
        find_tracks(folder)
    (folder / "captions.csv").unlink()
    (folder / "02_fast-funk.txt").write_text("flûte", encoding="latin-1")
    with pytest.raises(UnreadableMedia, match="02_fast-funk"):
        find_tracks(folder)


@pytest.mark.parametrize(("on_disk", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_are_the_same_in_both_forms(tmp_path: Path, on_disk: Form, written: Form) -> None:
    audio, text = (unicodedata.normalize(form, "sön/café 1") for form in (on_disk, written))
    (tmp_path / f"{audio}.wav").parent.mkdir()
    (tmp_path / f"{audio}.wav").touch()
    assert list(find_tracks(tmp_path).values()) == [(unicodedata.normalize("NFC", "café 1"),)]
    (tmp_path / text).parent.mkdir(exist_ok=True)
    (tmp_path / f"{text}.txt").write_text("beside")
    assert list(find_tracks(tmp_path).values()) == [("beside",)]
    (tmp_path / "captions.csv").write_text(f"file,caption\n{text}.wav,in the table\n", encoding="utf-8")
    assert list(find_tracks(tmp_path).values()) == [("in the table",)]
    paths = [Path(f"{letter}é.wav") for letter in "abcdefgh"]
    other = [Path(unicodedata.normalize(on_disk, str(path))) for path in paths]
    assert [path in held_out_tracks(paths, 0.5) for path in paths] == [
        path in held_out_tracks(other, 0.5) for path in other
    ]


@pytest.mark.parametrize("damage", ["no audio", "gone"])
def test_a_track_that_cannot_be_read_is_named(folder: Path, tmp_path: Path, damage: str) -> None:
    (folder / "more").mkdir()
    track = folder / "more" / "03 broken.mp3"
    if damage == "gone":
        track.symlink_to(tmp_path / "nowhere")
    else:
        track.write_bytes(b"x" * 1000)
    with pytest.raises(UnreadableMedia, match=r"more/03 broken\.mp3"):
        prepare(folder, ArrayCache(tmp_path / "cache"), held_out=0.0)


@pytest.mark.parametrize("length", [0, 50, 1000])
def test_pictures_that_are_cut_short_are_made_again(folder: Path, tmp_path: Path, length: int) -> None:
    first = [np.array(track.pictures) for track in prepare(folder, ArrayCache(tmp_path / "cache"))]
    for path in (tmp_path / "cache").iterdir():
        os.truncate(path, length)
    again = prepare(folder, ArrayCache(tmp_path / "cache"))
    assert all(np.array_equal(old, new.pictures) for old, new in zip(first, again, strict=True))


def test_hidden_files_are_left_out(folder: Path) -> None:
    (folder / "._01 slow blues.wav").write_bytes(b"macOS")
    assert len(find_tracks(folder)) == 2


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match="no audio files"):
        find_tracks(tmp_path)


def test_split_is_by_track_and_stable() -> None:
    paths = [Path(f"{n}.wav") for n in range(20)]
    kept = held_out_tracks(paths, 0.2)
    assert len(kept) == 4
    assert held_out_tracks(paths[::-1], 0.2) == kept
    assert len(held_out_tracks(paths[:2], 0.01)) == 1
    assert not held_out_tracks(paths[:1], 0.5)


def _keys(folder: Path, cache: Path, **options: Any) -> list[str]:
    return [track.key for track in prepare(folder, ArrayCache(cache), **options)]


def test_prepare_cuts_once_and_reads_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(folder, ArrayCache(tmp_path / "cache"), held_out=0.5)
    assert [track.pictures.shape for track in first] == 2 * [(1, 512, 512)]
    assert sorted(track.held_out for track in first) == [False, True]
    monkeypatch.setattr("riffusion.training.data.audio_folder.decode_audio", None)
    again = prepare(folder, ArrayCache(tmp_path / "cache"), held_out=0.5)
    assert all(np.array_equal(a.pictures, b.pictures) for a, b in zip(first, again, strict=True))


def test_captions_and_held_out_tracks_are_read_each_time(folder: Path, tmp_path: Path) -> None:
    first = prepare(folder, ArrayCache(tmp_path / "cache"), held_out=0.5)
    (folder / "01 slow blues.txt").write_text("a blues\n")
    again = prepare(folder, ArrayCache(tmp_path / "cache"), held_out=0.0)
    assert [track.captions for track in again] == [("a blues",), ("fast funk",)]
    assert not any(track.held_out for track in again)
    assert [track.key for track in again] == [track.key for track in first]


def test_tracks_that_have_changed_are_cut_again(folder: Path, tmp_path: Path) -> None:
    first, track = _keys(folder, tmp_path / "cache"), folder / "01 slow blues.wav"
    changed = track.stat()
    soundfile.write(track, _clicks(90, 6.5), SAMPLE_RATE)
    os.utime(track, ns=(changed.st_atime_ns, changed.st_mtime_ns))  # as from an archive, and of the same size
    again = _keys(folder, tmp_path / "cache")
    assert again[0] != first[0]
    assert again[1] == first[1]
    assert not set(again) & set(_keys(folder, tmp_path / "cache", on_beats=False))


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_folder_with_nothing_to_train_on_is_refused(tmp_path: Path, share: float) -> None:
    names, folder = ["a", "b"] if share else ["a"], tmp_path / "songs"
    folder.mkdir()
    held_out = {path.stem for path in held_out_tracks([folder / f"{name}.wav" for name in names], share)}
    for name in names:  # those held out are long enough
        soundfile.write(folder / f"{name}.wav", _clicks(120, 6.5 if name in held_out else 3), SAMPLE_RATE)
    with pytest.raises(UnreadableMedia, match="--held-out 0" if share else "Add longer tracks"):
        prepare(folder, ArrayCache(tmp_path / "cache"), held_out=share)


def test_an_output_folder_among_the_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="outside"):
        prepare(tmp_path, ArrayCache(tmp_path / "tuning" / "data"))


def test_beats_are_found() -> None:
    beats = beat_times(_clicks(100, 12.0, first=0.35), SAMPLE_RATE)
    distance = np.abs((beats - 0.35) / 0.6 - np.round((beats - 0.35) / 0.6)) * 0.6
    assert len(beats) >= 17
    assert np.median(distance) < 0.03


def test_clips_begin_on_beats_and_follow_each_other() -> None:
    starts = clip_starts(_clicks(100, 12.0, first=0.35), on_beats=True)
    assert len(starts) == 2
    assert starts[1] - starts[0] >= CLIP_SAMPLES
    assert clip_starts(np.zeros(CLIP_SAMPLES * 2, np.float32), on_beats=True) == [0, CLIP_SAMPLES]
    assert clip_starts(np.zeros(10, np.float32), on_beats=True) == []
