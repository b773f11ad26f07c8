"""Latents of a folder's clips, encoded once for each picture and autoencoder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from riffusion.testing import tiny_checkpoint
from riffusion.training.data.array_cache import ArrayCache
from riffusion.training.data.audio_folder import Track
from riffusion.training.data.captioned_latents import cached_latents, captioned

CHECKPOINT = tiny_checkpoint()


@pytest.fixture
def tracks() -> tuple[Track, ...]:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 512, 512), np.uint8)
    return (
        Track(("slow", "lento"), held_out=False, key="a", pictures=pictures[:2]),
        Track(("fast",), held_out=True, key="b", pictures=pictures[2:]),
        Track(("silent",), held_out=False, key="c", pictures=pictures[:0]),
    )


def test_clips_have_the_captions_of_their_tracks(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    latents = cached_latents(CHECKPOINT, tracks, ArrayCache(tmp_path))
    train, test = (captioned(tracks, latents, held_out=held_out) for held_out in (False, True))
    assert train.captions == (("slow", "lento"), ("slow", "lento"))
    assert torch.equal(train.latents, latents[0])
    assert test.captions == (("fast",),)
    assert torch.equal(test.latents, latents[1])


def test_what_has_not_changed_is_not_encoded_again(
    tracks: tuple[Track, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cached_latents(CHECKPOINT, tracks, ArrayCache(tmp_path))
    recaptioned = [replace(track, captions=("other",), held_out=False) for track in tracks]
    monkeypatch.setattr("riffusion.training.data.captioned_latents.to_input", None)
    again = cached_latents(CHECKPOINT, recaptioned, ArrayCache(tmp_path))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_other_pictures_and_another_autoencoder_are_encoded(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    first = cached_latents(CHECKPOINT, tracks, ArrayCache(tmp_path))
    changed = (replace(tracks[0], key="new", pictures=tracks[0].pictures[::-1]), *tracks[1:])
    other = cached_latents(tiny_checkpoint(seed=1), tracks, ArrayCache(tmp_path))
    assert not torch.equal(other[0], first[0])
    assert torch.equal(cached_latents(CHECKPOINT, changed, ArrayCache(tmp_path))[0], first[0].flip(0))


def test_what_is_not_used_any_more_is_deleted(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    (tmp_path / "latents.npy").touch()
    (tmp_path / "killed.1.part").touch()
    cached_latents(CHECKPOINT, tracks, ArrayCache(tmp_path))
    cached_latents(CHECKPOINT, tracks[:1], ArrayCache(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
