"""The names of the 24 keys, and the ways in which people write them."""

from riffusion.training.data.music import MOODS, Mood

# The names that are most written.
_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_ENHARMONICS = {"C#": "Db", "Eb": "D#", "F#": "Gb", "Ab": "G#", "Bb": "A#"}
_MODES: dict[Mood, str] = {"happy": "major", "sad": "minor"}


def key_name(key: int, mood: Mood) -> str:
    """The name of a key, such as "A minor", from semitones above C."""
    return f"{_TONICS[key]} {_MODES[mood]}"


KEYS: tuple[str, ...] = tuple(key_name(key, mood) for mood in MOODS for key in range(12))


def key_words(name: str) -> tuple[str, ...]:
    """How a key is written: "Eb minor", "E flat minor", "D# minor", "D sharp minor" are the same one."""
    tonic, mode = name.split()
    tonics = [tonic, *filter(None, [_ENHARMONICS.get(tonic)])]
    spoken = [f"{each[0]} {'sharp' if each[1] == '#' else 'flat'}" for each in tonics if len(each) == 2]
    return tuple(f"{each} {mode}" for each in [*tonics, *spoken])
