"""Teaching a trained text encoder further words."""

from copy import deepcopy

import pytest
import torch
from transformers import CLIPTextModel, CLIPTokenizer

from riffusion.training.data.captions import Stated
from riffusion.training.models.text_encoder import (
    encode_prompt,
    new_text_encoder,
    pretrain_text_encoder,
    token_ids,
    topic_targets,
)
from riffusion.training.models.text_extension import Lessons, extend_text_encoder
from riffusion.training.models.tokenizer import train_tokenizer

_OLD = {"drums": Stated("drums"), "bass": Stated("bass"), "piano": Stated("solo", lead="piano")}
_NEW = {"cello": Stated("solo", lead="cello"), "harp": Stated("solo", lead="harp")}
_REWORDED = ["the Trommel", "Basso", "pianno", "cellist", "some harfe"]


@pytest.fixture(scope="module")
def trained() -> tuple[CLIPTokenizer, CLIPTextModel]:
    """An encoder that knows the old captions."""
    tokenizer = train_tokenizer(list(_OLD))
    torch.manual_seed(0)
    encoder = new_text_encoder(tokenizer)
    pretrain_text_encoder(
        encoder, token_ids(tokenizer, list(_OLD)), topic_targets(list(_OLD.values())), steps=60, batch=8
    )
    return tokenizer, encoder


def test_new_words_and_rewordings_are_learned_and_known_captions_kept(
    trained: tuple[CLIPTokenizer, CLIPTextModel],
) -> None:
    tokenizer, encoder = trained
    original = deepcopy(encoder)
    every = {**_OLD, **_NEW}
    captions, rewordings = token_ids(tokenizer, list(every)), token_ids(tokenizer, _REWORDED)
    targets = topic_targets(list(every.values()))
    lessons = Lessons(captions, rewordings, targets, torch.tensor([text in _OLD for text in every]))
    heads = extend_text_encoder(encoder, lessons, steps=120, batch=8)

    kept, before = encode_prompt(encoder, captions[:3]), encode_prompt(original, captions[:3])
    assert float((kept - before).square().mean()) < 0.05 * float(before.var())
    lead = heads.heads[2]
    for ids in (captions, rewordings):
        assert torch.equal(lead(encode_prompt(encoder, ids)[:, 70]).argmax(1), targets[:, 2])
    read = encode_prompt(encoder, rewordings[:3])[:, 40:]
    assert float((read - before[:, 40:]).square().mean()) < 0.1 * float(before.var())
