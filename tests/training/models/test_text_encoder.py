"""The pretraining of the bundled model's text encoder."""

from random import Random

import pytest
import torch

from riffusion.training.data.captions import Stated
from riffusion.training.models.text_encoder import (
    SPREAD,
    encode_prompt,
    new_text_encoder,
    pretrain_text_encoder,
    token_ids,
    topic_targets,
    with_noise_words,
)
from riffusion.training.models.tokenizer import train_tokenizer

_CAPTIONS = {"drums": Stated("drums"), "bass, 120 bpm": Stated("bass", bpm=120), "piano": Stated("solo", lead="piano")}


def test_every_padding_position_holds_what_the_caption_states() -> None:
    tokenizer = train_tokenizer(list(_CAPTIONS))
    ids, targets = token_ids(tokenizer, list(_CAPTIONS)), topic_targets(list(_CAPTIONS.values()))
    torch.manual_seed(0)
    encoder = new_text_encoder(tokenizer)
    heads = pretrain_text_encoder(encoder, ids, targets, steps=40, batch=8)
    states = encode_prompt(encoder, ids)
    assert float(states.std()) == pytest.approx(SPREAD, rel=0.05)
    kind = heads.heads[0]
    for position in (20, 76):
        assert torch.equal(kind(states[:, position]).argmax(1), targets[:, 0])


def test_noise_words_leave_the_caption_in_order() -> None:
    noisy = with_noise_words("slow sad piano", Random(1)).split()
    assert len(noisy) == 4
    assert [word for word in noisy if word in {"slow", "sad", "piano"}] == ["slow", "sad", "piano"]
