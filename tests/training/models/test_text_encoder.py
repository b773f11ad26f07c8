"""What the bundled model's text encoder reads, once it is there."""

from random import Random

import pytest
import torch

from riffusion.training.data.captions import Stated
from riffusion.training.models.text_encoder import (
    SPREAD,
    hidden_states,
    new_text_encoder,
    pretrain_text_encoder,
    token_ids,
    topic_targets,
    with_noise_words,
)
from riffusion.training.models.tokenizer import train_tokenizer

_CAPTIONS = {"drums": Stated("drums"), "bass, 120 bpm": Stated("bass", bpm=120), "piano": Stated("solo", lead="piano")}


def test_learns_what_captions_state_at_every_padding() -> None:
    tokenizer = train_tokenizer(list(_CAPTIONS))
    ids, targets = token_ids(tokenizer, list(_CAPTIONS)), topic_targets(list(_CAPTIONS.values()))
    torch.manual_seed(0)
    encoder = new_text_encoder(tokenizer)
    heads = pretrain_text_encoder(encoder, ids, targets, steps=40, batch=8)
    states = hidden_states(encoder, ids)
    assert float(states.std()) == pytest.approx(SPREAD, rel=0.05)
    for place in (20, 76):
        assert heads.accuracy(states[:, place], targets)["kind"] == 1


def test_noise_words_leave_the_caption_in_order() -> None:
    noisy = with_noise_words("slow sad piano", Random(1)).split()
    assert len(noisy) == 4
    assert [word for word in noisy if word in {"slow", "sad", "piano"}] == ["slow", "sad", "piano"]
