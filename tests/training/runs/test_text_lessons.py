"""What a text encoder is taught."""

import json
from pathlib import Path

import pytest
import torch
from transformers import CLIPTokenizer

import riffusion
from riffusion.diffusion.checkpoint import read_vocabulary
from riffusion.training.data.captions import Stated, vocabulary
from riffusion.training.data.lexicon import model_vocabulary
from riffusion.training.runs.text_lessons import KnownCaptions, text_lessons

_OLD = {
    "genre": ["jazz", "smooth jazz", "swing jazz", "bebop", "hip hop", "lo-fi", "bossa nova"],
    "instrument": ["piano", "grand piano", "keyboard", "guitar"],
    "kind": ["solo", "bass"],
    "mood": ["in a minor key"],
}


@pytest.mark.parametrize(
    ("text", "stated", "known"),
    [
        ("a smooth jazz solo at 96 bpm", Stated("solo", "jazz"), True),
        ("Piano Solo", Stated("solo", lead="piano"), True),
        ("cello solo", Stated("solo", lead="cello"), False),
        ("piano solo without bass", Stated("solo", lead="piano"), False),
        ("piano in a minor", Stated("solo", lead="piano", key="A minor"), False),
        ("lo-fi bass", Stated("bass", "lo-fi"), False),  # it meant hip hop
    ],
)
def test_known_captions_have_old_words_in_their_old_meaning(text: str, stated: Stated, *, known: bool) -> None:
    assert ((text, stated) in KnownCaptions(_OLD)) == known


@pytest.mark.parametrize("every", [vocabulary(), model_vocabulary()])
def test_with_all_phrases_every_caption_is_known(every: dict[str, list[str]]) -> None:
    assert ("solo cello without drums", Stated("solo", lead="cello", drums=False)) in KnownCaptions(every)


def test_a_lesson_is_a_caption_with_a_rewording(tmp_path: Path) -> None:
    model = Path(riffusion.__file__).parent / "models" / "tiny"
    tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
    captions = [("piano solo", Stated("solo", lead="piano")), ("cello solo", Stated("solo", lead="cello"))] * 20
    lessons = text_lessons(tokenizer, captions, KnownCaptions(_OLD), seed=0)
    assert lessons.captions.shape == lessons.rewordings.shape == (40, 77)
    assert lessons.known.tolist() == [True, False] * 20
    assert lessons.targets.shape[0] == 40
    assert not torch.equal(lessons.captions, lessons.rewordings)
    assert read_vocabulary(tmp_path) is None
    (tmp_path / "vocabulary.json").write_text(json.dumps(_OLD))
    assert read_vocabulary(tmp_path) == _OLD
