"""What a model makes of a prompt, for models that come with a list of the words that they know.

The list has the phrases of the captions by topic; under these, other phrases that are replaced by them ("synonyms"), or
for which they are played ("nearest"); and what isn't music ("sounds"). All but the topics may be missing.
"""

import re
from collections.abc import Container

from riffusion.diffusion.checkpoint import Vocabulary
from riffusion.generate import tokens
from riffusion.generate.fillers import FILLERS
from riffusion.generate.key_forms import key_forms
from riffusion.generate.lookalikes import LOOKALIKES
from riffusion.generate.negation import PLAYER, Negation, Reach, negates
from riffusion.generate.negation_words import (
    ANDS,
    BUTS,
    DEGREES,
    DISLIKED,
    DRUM_KIT,
    NEGATIONS,
    NO_NEGATIONS,
    ONLYS,
    ORS,
    TRANSPARENT,
    WITHOUTS,
)
from riffusion.generate.normal_forms import NormalForms
from riffusion.generate.reading import Reading, warnings
from riffusion.generate.spelling import Spelling
from riffusion.generate.tokens import Phrase
from riffusion.generate.typed_words import TypedWords

_TEMPO = re.compile(r"(?<![\d.])(\d{1,9})(?:\.\d{1,3})?\s{0,3}(?:bpm|beats per minute)\b")
# What is no plain word, but means something: decades, and chords other than triads.
_SYMBOL = re.compile(
    r"(?:19|20)?\d0s|[a-g][#b]?(?:m|maj|min|dim|aug|sus|add)?(?:6|7|9|11|13)|[a-g][#b]?(?:dim|aug|sus)[24]?"
)
_METER = re.compile(r"(?<![\d/])(\d{1,2}/(?:2|4|8|16))(?![\d/])")
_ENGLISH = frozenset(("no", "without", "or", "and", "nor"))  # of the negations, those that captions have
_TABLES = ("synonyms", "nearest", "sounds")
_QUALITIES = ("mood", "speed", "genre")
# In the synonyms: what says nothing by itself, and what is true of some prompts only.
_PER_MINUTE, _NO_BASS = "beats per minute", "no bass"
_CONNECTING = (_PER_MINUTE, "with", "and")
_SHORTEST_PART, _LONGEST_COMPOUND = 3, 24  # letters
_PASSES = 4  # over a prompt whose replaced words make new phrases with others


class KnownWords:
    """The words of a model."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        topics = {topic: phrases for topic, phrases in vocabulary.items() if topic not in _TABLES}
        synonyms = vocabulary.get("synonyms", {})
        own = [phrase for phrases in (*topics.values(), synonyms) for phrase in phrases]
        self._own_words = {word for phrase in own for word in tokens.words(phrase)}
        self._texts: dict[Phrase, str] = {tokens.words(phrase): phrase for phrase in own}
        others = [(tokens.words(each), known) for known, table in synonyms.items() for each in table]
        for phrase, known in others:
            if not self._own_words.issuperset(phrase):  # what captions could say is never replaced
                self._texts.setdefault(phrase, known)
        for phrase, known in key_forms(topics.get("key", ()), synonyms):
            self._texts.setdefault(phrase, known)
        connecting = [*topics.pop("tempo", ()), *_CONNECTING]
        connecting += [phrase for known in _CONNECTING for phrase in synonyms.get(known, ())]
        self._connecting = set(map(tokens.words, connecting))
        self._no_bass = {tokens.words(phrase) for phrase in (_NO_BASS, *synonyms.get(_NO_BASS, ()))}
        self._players = {
            word for topic in ("instrument", "kind") for each in topics.get(topic, ()) for word in tokens.words(each)
        }
        self._topics = {phrase: topic for topic, phrases in topics.items() for phrase in phrases}
        self._examples = {topic: phrases[0] for topic, phrases in topics.items() if phrases}
        self._fillers = {*map(tokens.fold, FILLERS)}.union(*self._connecting)
        self._known = {*self._texts, *(phrase for phrase, _ in others)}
        phrases = {*map(tokens.words, own), *(phrase for phrase in self._known if len(phrase) == 1)}
        self._words = {word for phrase in phrases for word in phrase if self._is_content(word)}
        self._nearest: dict[Phrase, str] = {
            tokens.words(each): known for known, table in vocabulary.get("nearest", {}).items() for each in table
        }
        self._sounds = {tokens.words(phrase) for phrase in vocabulary.get("sounds", ())}
        self._listed = {*self._known, *self._nearest, *self._sounds}
        self._phrases = self._listed | NEGATIONS | NO_NEGATIONS
        self._longest = max(map(len, self._phrases))
        self._single = {
            phrase[0] for phrase in self._listed - self._connecting if len(phrase) == 1 and phrase[0].isalpha()
        }
        self._spelling = Spelling(self._words | self._single, preferred=self._own_words)
        self._forms = self._normal_forms(topics, synonyms)
        self._reach = Reach(self._phrase_at, self._topic_of)
        self._meters = {"4/4", *(meter for phrase in own for meter in _METER.findall(phrase))}

    def _normal_forms(self, topics: Vocabulary, synonyms: Vocabulary) -> NormalForms:
        def single(topic: str) -> set[str]:
            phrases = [each for own in topics.get(topic, ()) for each in (own, *synonyms.get(own, ()))]
            return {phrase[0] for phrase in map(tokens.words, phrases) if len(phrase) == 1}

        self._playing = single("instrument") | single("kind") | {word.removesuffix("s") for word in single("kind")}
        names = topics.get("key", ())
        return NormalForms(
            tempo=("bpm", _PER_MINUTE, *synonyms.get(_PER_MINUTE, ())),
            keys={phrase: known for phrase, known in self._texts.items() if known in names},
            moods=single("mood"),
            players=frozenset(self._playing),
            unplayable=frozenset(phrase[0] for phrase in self._nearest if len(phrase) == 1),
        )

    def warnings(self, prompt: str) -> list[str]:
        """In which ways the clip won't be what a prompt says, as sentences; an empty prompt asks for nothing."""
        return (
            warnings(self._read(self._forms.normal(prompt)), prompt, self._examples, self._meters)
            if prompt.strip()
            else []
        )

    def canonical(self, prompt: str) -> str:
        """The prompt in the words of the captions; what isn't known stays as typed, moods that aren't wanted go."""
        prompt = self._forms.normal(prompt)
        for _ in range(_PASSES):
            before, prompt = prompt, self._read(prompt).text
            if prompt == before:
                break
        return prompt

    def _read(self, prompt: str) -> Reading:
        reading, typed = Reading(), TypedWords(prompt)
        words, breaks = typed.words, typed.breaks
        at, negation = 0, Negation()
        while at < len(words):
            first, phrase = at, self._phrase_at(words, at, breaks[at])
            at += len(phrase)
            negation = negation.at_word(words[first], typed.between[first])
            if begun := self._begun(negation, typed, phrase, first):
                negation, at = begun
            elif len(phrase) == 1 and self._reach.joins(negation, words, first, breaks[first]):
                negation.at, negation.holds = first, True
            elif negation.holds and phrase[0] in TRANSPARENT:
                continue
            elif negation.holds and self._describes(negation, phrase, words[at:], breaks[first] - at):
                negation.described = True
            elif phrase in self._connecting:
                self._replace(typed, first, at, self._texts.get(phrase, ""), negation)
            elif phrase in self._listed or self._is_content(phrase[0]):
                if self._reach.lists(negation, words, first, typed.between):
                    negation.at, negation.holds = first, True
                if negation.holds:
                    self._read_absent(reading, typed, phrase, negation, first)
                else:
                    own = self._note(reading, phrase, typed.shown(first, at))
                    self._replace(typed, first, at, own, negation)
                negation = negation.after(phrase, first)
        self._note_bass(reading)
        _set_text(reading, typed.edited())
        return reading

    def _begun(self, negation: Negation, typed: TypedWords, phrase: Phrase, first: int) -> tuple[Negation, int] | None:
        """The negation after a phrase that begins or undoes one, or seems to, and the index after it."""
        words, end = typed.words, first + len(phrase)
        if negation.holds and not NEGATIONS.isdisjoint((phrase, phrase[:1])):
            negation.holds = False  # "je ne veux pas de batterie" negates once
            undone = phrase if phrase in NEGATIONS else phrase[:1]
            if undone in WITHOUTS:
                typed.leave_out(negation.at, first + len(undone))
                return Negation(), first + len(undone)
        if phrase == ("except",) and negation.at >= 0:  # "no instruments except piano"
            return Negation(), end
        if phrase in NO_NEGATIONS:
            if ORS.isdisjoint(words[end : end + 1]) and typed.between[end : end + 1] != ["/"]:
                typed.leave_out(first, end)
            return Negation(first), end
        if phrase in NEGATIONS:
            begins = negates(phrase, words, typed.between, first)
            return Negation.begun(phrase, words, first) if begins else negation, end
        return None

    def _read_absent(self, reading: Reading, typed: TypedWords, phrase: Phrase, negation: Negation, first: int) -> None:
        """Notes what shall not play, and writes it as captions do: "no drums", "no piano", nothing for "not sad"."""
        start, end = negation.at, first + len(phrase)
        shown, meant = typed.shown(first, end), self._player_meant(phrase)
        if absent := self._absent(meant):
            own = self._note(reading, absent, typed.shown(start, end))
            own = own or ("" if typed.words[start] in _ENGLISH else " ".join(absent))
            self._replace(typed, start, end, own, negation)
            return
        if not self._knows(meant) and not self._form_in(DRUM_KIT, meant):
            return  # what the model can't play doesn't play
        reading.negated[shown] = None
        if meant != phrase:
            reading.misspelled[shown] = meant[0]
        describes = typed.between[end : end + 1] == ["-"]  # "not piano-heavy"
        if negation.described or describes or not self._knows(meant):
            return
        topic = self._topic_of(meant)
        if topic in _QUALITIES:
            before = tuple(word for word in typed.words[start:first] if word not in DEGREES)
            if start == first or before in NEGATIONS or (len(before) == 1 and before[0] in ORS | ANDS):
                typed.leave_out(start, end, after=BUTS)
        elif topic == PLAYER and typed.words[start] in _ENGLISH and start + 1 >= first:
            self._replace(typed, first, end, self._own(meant), negation)
        elif topic == PLAYER:
            typed.replace(start, end, f"no {self._own(meant) or ' '.join(meant)}")

    @staticmethod
    def _replace(typed: TypedWords, start: int, end: int, own: str, negation: Negation) -> None:
        """Puts the captions' own words, if there are any, in the place of others; captions say "or" and "and", too."""
        word = typed.words[start]
        if own and word != "or" and not (word == "and" and negation.without):
            typed.replace(start, end, own)

    def _player_meant(self, phrase: Phrase) -> Phrase:
        """The phrase, or what can play if it is a misspelled word for that."""
        if phrase in self._listed or phrase[0] in LOOKALIKES or self._knows(phrase):
            return phrase
        meant = self._spelling.nearest(phrase[0])
        return (meant,) if meant and self._topic_of((meant,)) == PLAYER else phrase

    def _topic_of(self, phrase: Phrase) -> str | None:
        """What a phrase is about, or what is played for it; None where that isn't known."""
        if phrase and phrase[-1] in self._playing:
            return PLAYER
        nearest = self._form_in(self._nearest, phrase) if phrase else None
        name = self._nearest[nearest] if nearest else (self._own(phrase) if phrase else "") or " ".join(phrase)
        topic = self._topics.get(name)
        return PLAYER if topic in ("instrument", "kind") else topic

    def _describes(self, negation: Negation, phrase: Phrase, following: Phrase, joined: int) -> bool:
        """Whether a negated word only describes what shall not play: "no loud drums" is without drums.

        Not where the same plays in another way: "no electronic drums, only acoustic drums".

        Args:
            following: the words after it; of these, punctuation separates all but the first `joined` from it.
        """
        after = self._phrase_at(following[:joined], 0, joined)
        if not after or after[:1] in NEGATIONS or negation.of_adjective or phrase[0] in self._playing:
            return False
        rest = following[len(after) :]
        otherwise = after[-1] in rest and not (ONLYS | BUTS).isdisjoint(rest[: rest.index(after[-1])])
        plays = (
            self._absent(after)
            or self._form_in(DRUM_KIT, after)
            or (phrase[0] in DISLIKED and self._topic_of(after) == PLAYER)
        )
        return bool(plays) and not otherwise

    def _phrase_at(self, words: Phrase, at: int, end: int) -> Phrase:
        """The longest listed phrase that starts there and doesn't go beyond the end, or the word itself.

        After a "no", the phrase that shall not play may be longer: "no bass drum" doesn't leave out the bass.
        """
        for length in range(min(self._longest, end - at), 1, -1):
            phrase = words[at : at + length]
            if phrase in self._phrases:
                return phrase[:1] if phrase[:1] in NEGATIONS and self._is_longer(words, at, length, end) else phrase
        return words[at : at + 1]

    def _is_longer(self, words: Phrase, at: int, length: int, end: int) -> bool:
        """Whether what a "no" leaves out goes on after so many words: not in "no bass drum and bass", with a genre."""
        absent, after = self._phrase_at(words, at + 1, end), self._phrase_at(words, at + length, end)
        return len(absent) >= max(length, len(after))

    def _note(self, reading: Reading, phrase: Phrase, shown: str) -> str:
        """Adds to the reading what a phrase, or the word that it misspells, means to the model.

        Returns the model's own words for it; none where it stays as typed.
        """
        if self._knows(phrase):
            reading.known[shown] = phrase
            return self._own(phrase)
        if nearest := self._form_in(self._nearest, phrase):
            reading.replaced[shown] = self._nearest[nearest]
            return self._nearest[nearest]
        return self._note_unlisted(reading, phrase, shown)

    def _note_unlisted(self, reading: Reading, phrase: Phrase, shown: str) -> str:
        """Does that for sounds, compounds, misspelled words and unknown ones."""
        if self._form_in(self._sounds, phrase):
            reading.sounds[shown] = None
        elif parts := self._parts(phrase[0]):
            return " ".join(self._note(reading, (part,), part) or part for part in parts)
        elif phrase[0] in LOOKALIKES or (meant := self._spelling.nearest(phrase[0])) is None:
            reading.unknown[shown] = None
        else:
            reading.misspelled[shown] = meant
            return self._note(reading, (meant,), meant) or meant
        return ""

    def _absent(self, phrase: Phrase) -> Phrase | None:
        """The known phrase such as ("no", "drums") for what a prompt negates, if there is one."""
        own = tokens.words(self._own(phrase) or " ".join(phrase))
        return self._form_in(self._known, ("no", *own))

    def _parts(self, word: str) -> Phrase | None:
        """The two listed words that it is made of, as in "technobeat" and "Gitarrenriff"."""
        if len(word) > _LONGEST_COMPOUND:
            return None
        cuts = range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1)
        splits = ((head, word[cut:]) for cut in cuts for head in (word[:cut], word[:cut].removesuffix("n")))
        return next((each for each in splits if self._single.issuperset(each)), None)

    def _note_bass(self, reading: Reading) -> None:
        """A genre alone means a band, and that has a bass even if the prompt says that it hasn't."""
        without = [shown for shown, phrase in reading.known.items() if phrase in self._no_bass]
        others = [self._own(phrase) for phrase in reading.known.values() if phrase not in self._no_bass]
        named = {word for text in (*others, *reading.replaced.values()) for word in tokens.words(text)}
        if without and named and named.isdisjoint(self._players):
            reading.known = {shown: phrase for shown, phrase in reading.known.items() if shown not in without}
            reading.negated["bass"] = None

    def _knows(self, phrase: Phrase) -> bool:
        """Whether the model knows it, in singular or plural."""
        if phrase in self._listed:
            return phrase in self._known
        return phrase[0] not in LOOKALIKES and not tokens.numbers(phrase[0]).isdisjoint(self._words)

    def _form_in(self, table: Container[Phrase], phrase: Phrase) -> Phrase | None:
        """The phrase, in singular or plural, if a table has it."""
        forms = ((*phrase[:-1], form) for form in sorted(tokens.numbers(phrase[-1])))
        return next((form for form in (phrase, *forms) if form in table), None)

    def _own(self, phrase: Phrase) -> str:
        """The captions' words for a phrase that the model knows; none where it stays as typed."""
        if phrase in self._texts or len(phrase) > 1:
            return self._texts.get(phrase, "")
        forms = tokens.numbers(phrase[0])
        if not forms.isdisjoint(self._own_words):
            return phrase[0]
        return next((self._texts[form,] for form in sorted(forms) if (form,) in self._texts), "")

    def _is_content(self, word: str) -> bool:
        """Whether a word that isn't listed says something about the music; emoji and numbers don't."""
        if _SYMBOL.fullmatch(word):
            return (word,) not in self._known
        return len(word) > 1 and word.isalpha() and word not in self._fillers


def _set_text(reading: Reading, text: str) -> None:
    """Adds the prompt in the model's words to its reading, with the numbers in it."""
    reading.text, shown = text, tokens.shown(text)
    reading.tempi = dict.fromkeys(int(number) for number in _TEMPO.findall(shown))
    reading.meters = dict.fromkeys(_METER.findall(shown))
