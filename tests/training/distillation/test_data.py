"""Where a distillation's captions and clips come from."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from riffusion.errors import SetupError, UnreadableMedia
from riffusion.testing import chord, tiny_checkpoint
from riffusion.training.data.captions import write_caption
from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.distillation.data import read_data


def test_captions_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("slow piano\n\n funk \n")
    data = read_data(tmp_path / "captions.txt", tmp_path / "cache", tiny_checkpoint())
    assert data.captions == [("slow piano",), ("funk",)]
    assert data.latents is None


def test_a_file_without_captions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("\n")
    with pytest.raises(UnreadableMedia, match="one a line"):
        read_data(tmp_path / "captions.txt", tmp_path, tiny_checkpoint())


def test_latents_of_the_bundled_models_training(tmp_path: Path) -> None:
    (tmp_path / "latents-0").mkdir()
    latents = np.random.default_rng(0).standard_normal((3, 4, 64, 64)).astype(np.float16)
    np.save(tmp_path / "latents-0" / "0000.npy", latents[:2])
    np.save(tmp_path / "latents-0" / "0001.npy", latents[2:])
    data = read_data(tmp_path, tmp_path / "cache", tiny_checkpoint())
    assert data.latents is not None
    assert torch.equal(torch.stack(list(data.latents)), torch.from_numpy(latents))
    clips = ComposedSet(tmp_path, "train", 3)
    assert data.captions[2] == (write_caption(clips.piece(2), clips.caption_rng(2))[0],)


def test_latents_of_trainings_from_other_seeds(tmp_path: Path) -> None:
    (tmp_path / "latents-7.old").mkdir()
    for seed in (0, 7):
        (tmp_path / f"latents-{seed}").mkdir()
        np.save(tmp_path / f"latents-{seed}" / "0000.npy", np.full((2, 4, 64, 64), seed, np.float16))
    data = read_data(tmp_path, tmp_path / "cache", tiny_checkpoint())
    assert data.latents is not None
    assert [float(each[0, 0, 0]) for each in data.latents] == [0, 0, 7, 7]
    clips = ComposedSet(tmp_path, "train", 2, 7)
    assert data.captions[3] == (write_caption(clips.piece(1), clips.caption_rng(1))[0],)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("flûte", encoding="latin-1")
    with pytest.raises(UnreadableMedia, match=r"captions\.txt aren't UTF-8"):
        read_data(tmp_path / "captions.txt", tmp_path, tiny_checkpoint())
    (tmp_path / "latents-0").mkdir()
    np.save(tmp_path / "latents-0" / "0000.npy", np.zeros((3, 4, 64, 64), np.float16))
    os.truncate(tmp_path / "latents-0" / "0000.npy", 1000)
    with pytest.raises(SetupError, match=r"0000\.npy are damaged"):
        read_data(tmp_path, tmp_path / "cache", tiny_checkpoint())


def test_clips_of_audio(tmp_path: Path) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    soundfile.write(songs / "slow chords.wav", chord(11).T.numpy(), 44_100)
    data = read_data(songs, tmp_path / "cache", tiny_checkpoint())
    assert set(data.captions) == {("slow chords",)}
    assert data.latents is not None
    assert len(data.latents) == len(data.captions) >= 1
    assert data.latents[0].shape == (4, 64, 64)
