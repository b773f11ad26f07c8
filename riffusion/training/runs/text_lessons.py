"""What a trained text encoder learns further words from: captions of composed pieces and rewordings of them."""

import re
from collections.abc import Mapping, Sequence
from random import Random

import torch
from transformers import CLIPTokenizer

from riffusion.training.data.captions import Stated, vocabulary
from riffusion.training.data.music import GENRE, INSTRUMENT
from riffusion.training.data.rewordings import WAYS, reword
from riffusion.training.models.text_encoder import token_ids, topic_targets
from riffusion.training.models.text_extension import Lessons

_SHARES = {
    "misspelled": 4,
    "en": 4,
    "nearest": 3,
    "fillers": 2,
    "ru": 2,
    "de": 2,
}  # of the captions; each other way has 1
_WORD = re.compile(r"[^\W\d_]{2,}")
_CONNECTING = "an and at beats bpm clip featuring in minute of on over per play plus recording some sound style with"


class KnownCaptions:
    """The captions all of whose words a text encoder was trained on, by the vocabulary of its model."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self._every = all(set(phrases).issubset(known.get(topic, ())) for topic, phrases in vocabulary().items())
        self._phrases = {phrase for topic in vocabulary() for phrase in known.get(topic, ())}
        self._words = {word for phrase in self._phrases for word in _WORD.findall(phrase)} | {*_CONNECTING.split()}

    def __contains__(self, caption: tuple[str, Stated]) -> bool:
        if self._every:
            return True
        text, stated = caption
        named = [INSTRUMENT[stated.lead].words] if stated.lead else []
        named += [GENRE[stated.genre].words] if stated.genre else []
        return (
            stated.key is None
            and self._words.issuperset(_WORD.findall(text.lower()))
            and all(self._means(words) for words in named)
        )

    def _means(self, words: Sequence[str]) -> bool:
        """Whether most words of a value were in the vocabulary; a single one may have meant another value."""
        return 2 * len(self._phrases.intersection(words)) >= len(words)


def text_lessons(
    tokenizer: CLIPTokenizer, captions: Sequence[tuple[str, Stated]], known: KnownCaptions, seed: int
) -> Lessons:
    """One lesson for each caption."""
    rng = Random(seed)
    ways = rng.choices(list(WAYS), [_SHARES.get(way, 1) for way in WAYS], k=len(captions))
    pairs = [reword(way, text, stated, rng) for way, (text, stated) in zip(ways, captions, strict=True)]
    every = [stated for _, stated in captions]
    return Lessons(
        token_ids(tokenizer, [text for text, _ in pairs]),
        token_ids(tokenizer, [other for _, other in pairs]),
        topic_targets(every),
        torch.tensor([(text, stated) in known for (text, _), stated in zip(pairs, every, strict=True)]),
    )
