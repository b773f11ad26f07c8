"""Rewords captions as strangers type them: misspelled, in other words or languages, among words without meaning.

A text encoder learns to read a rewording as the caption it stands for.
"""

from collections.abc import Callable
from random import Random

from riffusion.generate.fillers import FILLERS
from riffusion.training.data.captions import Stated, nearest_tempo
from riffusion.training.data.keys import KEYS
from riffusion.training.data.lexicon import LANGUAGES, Words, compound_stem, missing, nearest_words, words_of
from riffusion.training.data.misspelling import misspell, without_accents
from riffusion.training.data.music import GENRE, INSTRUMENT, INSTRUMENTS, KIND_WORDS, MOOD_WORDS, SPEED_WORDS

_FILLERS = sorted(FILLERS)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DECORATIONS = ("!", "!!", "...", " :)", " ✨", " ❤️", "?", " please", " pls", " thx")

Rewording = tuple[str, str]
"""A caption, and other words for it."""


def reword(way: str, text: str, stated: Stated, rng: Random) -> Rewording:
    """Rewords a caption, which states these facts, in one of `WAYS`."""
    return WAYS[way](text, stated, rng)


def _misspelled(text: str, _stated: Stated, rng: Random) -> Rewording:
    return text, misspell(text, rng)


def _among_fillers(text: str, stated: Stated, rng: Random) -> Rewording:
    """With up to four words that say nothing, and at times one that says what doesn't play anyway."""
    words = text.split(" ")
    for _ in range(rng.randint(1, 4)):
        made_up = "".join(rng.choices(_LETTERS, k=rng.randint(2, 9)))
        words.insert(rng.randint(0, len(words)), made_up if rng.random() < 0.4 else rng.choice(_FILLERS))
    result = " ".join(words)
    if rng.random() < 0.25:
        absent = rng.choice([*(each.words[0] for each in INSTRUMENTS if each.name != stated.lead), "vocals", "lyrics"])
        result = f"{result}, {rng.choice(('no', 'without'))} {absent}"
    return text, result + (rng.choice(_DECORATIONS) if rng.random() < 0.3 else "")


def _in_language(words: Words) -> Callable[[str, Stated, Random], Rewording]:
    def translated(_text: str, stated: Stated, rng: Random) -> Rewording:
        bpm = _spoken(stated, rng)
        text = _write(words, stated, bpm, rng)
        text = misspell(text, rng) if rng.random() < 0.1 else text
        return plain(stated, bpm), without_accents(text) if rng.random() < 0.2 else text

    return translated


def _nearest(text: str, stated: Stated, rng: Random) -> Rewording:
    """With a name of what isn't taught, where there is one for a stated value."""
    named = [topic for topic, table in missing().items() if getattr(stated, topic) in table]
    return (_in_language(nearest_words()) if named else _in_language(words_of("en")))(text, stated, rng)


WAYS: dict[str, Callable[[str, Stated, Random], Rewording]] = {
    "misspelled": _misspelled,
    "fillers": _among_fillers,
    **{language: _in_language(words_of(language)) for language in LANGUAGES},
    "nearest": _nearest,
}


def plain(stated: Stated, bpm: str | None) -> str:
    """The shortest caption that states these facts, with this number of beats per minute."""
    lead = INSTRUMENT[stated.lead].words[0] if stated.lead else None
    kind = KIND_WORDS[stated.kind][0]
    subject = {"full": f"{kind} with {lead}"}.get(stated.kind, f"{lead} {kind}") if lead else kind
    adjectives = [
        MOOD_WORDS[stated.mood][0] if stated.mood else "",
        SPEED_WORDS[stated.speed][0] if stated.speed and not bpm else "",
        GENRE[stated.genre].words[0] if stated.genre else "",
    ]
    drums = {True: " with drums", False: " without drums", None: ""}[_drums(stated)]
    key = f" in {stated.key}" if stated.key else ""
    text = " ".join(filter(None, [*adjectives, subject])) + drums + key
    return f"{text}, {bpm} bpm" if bpm else text


def _spoken(stated: Stated, rng: Random) -> str | None:
    """A whole number of beats per minute that stands for the stated tempo."""
    if stated.bpm is None:
        return None
    return str(rng.choice([number for number in range(60, 181) if nearest_tempo(number) == stated.bpm]))


def _drums(stated: Stated) -> bool | None:
    """Whether to say that drums play, or that none do; in drums alone, it goes without saying."""
    return None if stated.kind == "drums" else stated.drums


def _write(words: Words, stated: Stated, bpm: str | None, rng: Random) -> str:
    """A caption of these facts in the words of a language."""
    subject = _subject(words, stated, rng)
    if stated.genre:
        subject = rng.choice(words.style).format(rng.choice(words.of("genre", stated.genre)), subject)
    adjectives = [rng.choice(words.of("mood", stated.mood))] if stated.mood else []
    if stated.speed and (not bpm or rng.random() < 0.2):
        adjectives.append(rng.choice(words.of("speed", stated.speed)))
    rng.shuffle(adjectives)
    first = rng.randint(0, len(adjectives))
    before, after = adjectives[:first], adjectives[first:]
    text = " ".join([*before, subject])
    if after:
        text += rng.choice((", ", " ")) + rng.choice((" ", ", ")).join(after)
    drums = _drums(stated)
    facts = [
        rng.choice(words.drums["yes" if drums else "no"]) if drums is not None else "",
        _key(words, stated.key, rng) if stated.key else "",
        rng.choice(words.tempo).format(bpm) if bpm else "",
    ]
    rng.shuffle(facts)
    return rng.choice((", ", " ")).join(filter(None, [text, *facts]))


def _subject(words: Words, stated: Stated, rng: Random) -> str:
    """Who plays what."""
    kind = rng.choice(words.of("kind", stated.kind))
    if stated.kind == "full":
        return _arrangement(words, stated, kind, rng)
    if not stated.lead:
        return kind
    name = rng.choice(words.of("lead", stated.lead))
    if stated.kind == "solo" and rng.random() < 0.45:
        return name
    form = rng.choice(words.solo if stated.kind == "solo" else words.chords)
    return form.format(compound_stem(name) if form.startswith("{}") and form[2] not in " -" else name)


def _arrangement(words: Words, stated: Stated, kind: str, rng: Random) -> str:
    """A band, or one with its lead; a genre alone means one too."""
    if not stated.lead:
        return kind if not stated.genre or rng.random() < 0.6 else ""
    parts = [rng.choice(words.of("lead", stated.lead)), kind]
    if rng.random() < 0.4:
        parts[1] = rng.choice(words.of("kind", "bass"))
        if stated.drums:
            parts[1] += f" {words.join[1]} " + rng.choice(words.of("kind", "drums"))
    rng.shuffle(parts)
    return f" {words.join[0]} ".join(parts)


def _key(words: Words, key: str, rng: Random) -> str:
    """A key such as "A minor" in a language."""
    mode = key.split()[1]
    return rng.choice(words.key[mode]).format(words.notes[KEYS.index(key) % 12])
