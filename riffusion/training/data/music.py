"""The composer's tables: instruments, genres, tempi, and the words that people use for them.

Readable without torch or numpy. General MIDI programs are numbered from 0.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["drums", "bass", "solo", "chords", "full"]
KINDS: tuple[Kind, ...] = ("drums", "bass", "solo", "chords", "full")

# Neighbours lie more than 5 % apart. 93.75 and 140.625 fit 2 and 3 bars of 4/4 into 5.12 s exactly.
TEMPI: tuple[float, ...] = (66, 72, 80, 87, 93.75, 100, 110, 120, 128, 140.625, 150, 160, 174)

Speed = Literal["slow", "medium", "fast"]
SPEEDS: tuple[Speed, ...] = ("slow", "medium", "fast")
SPEED_WORDS: dict[Speed, tuple[str, ...]] = {
    "slow": ("slow", "downtempo", "relaxed", "calm", "laid-back", "gentle"),
    "medium": ("mid-tempo", "medium tempo", "moderate", "steady", "walking pace"),
    "fast": ("fast", "uptempo", "energetic", "quick", "driving", "lively"),
}

Mood = Literal["happy", "sad"]
MOODS: tuple[Mood, ...] = ("happy", "sad")
MOOD_WORDS: dict[Mood, tuple[str, ...]] = {
    "happy": ("happy", "bright", "cheerful", "uplifting", "joyful", "in a major key"),
    "sad": ("sad", "dark", "melancholic", "moody", "gloomy", "in a minor key"),
}


def speed_of(bpm: float) -> Speed:
    """The everyday word for a tempo in beats per minute: slow up to 90, fast from 125."""
    return "slow" if bpm <= 90 else "fast" if bpm >= 125 else "medium"


@dataclass(frozen=True)
class Instrument:
    """A lead instrument: its General MIDI program, family, playing range (MIDI pitches) and names."""

    name: str
    program: int
    family: str
    low: int
    high: int
    words: tuple[str, ...]
    chordal: bool = False
    """Whether chords are played on it: then it also takes pieces of kind "chords"."""
    ornaments: bool = False
    """Whether its players add grace notes."""


INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument("piano", 0, "keys", 60, 84, ("piano", "grand piano", "acoustic piano", "keyboard", "pianos"), True),
    Instrument("electric piano", 4, "keys", 57, 81, ("electric piano", "rhodes", "e-piano", "fender rhodes"), True),
    Instrument("organ", 16, "organ", 57, 81, ("organ", "hammond organ", "hammond", "electric organ"), True),
    Instrument("accordion", 21, "organ", 60, 84, ("accordion", "squeezebox", "concertina", "accordions"), True, True),
    Instrument(
        "acoustic guitar", 25, "plucked", 52, 76,
        ("acoustic guitar", "guitar", "steel string guitar", "unplugged guitar", "acoustic guitars", "guitars"), True,
    ),
    Instrument(
        "electric guitar", 30, "plucked", 52, 76,
        ("electric guitar", "distorted guitar", "overdriven guitar", "rock guitar", "electric guitars"), True,
    ),
    Instrument("banjo", 105, "plucked", 55, 79, ("banjo", "five-string banjo", "banjos"), ornaments=True),
    Instrument("violin", 40, "strings", 60, 86, ("violin", "fiddle", "solo violin", "violins"), ornaments=True),
    Instrument(
        "strings", 48, "strings", 55, 79,
        ("strings", "string orchestra", "string section", "orchestra strings", "orchestra"), True,
    ),
    Instrument("trumpet", 56, "winds", 58, 80, ("trumpet", "horn", "brass", "trumpets", "horns")),
    Instrument("saxophone", 65, "winds", 54, 78, ("saxophone", "sax", "alto sax", "tenor sax"), ornaments=True),
    Instrument("flute", 73, "winds", 65, 91, ("flute", "wooden flute", "flutes"), ornaments=True),
    Instrument("choir", 52, "voice", 55, 77, ("choir", "vocals", "voices", "singing", "choral", "choirs"), True),
    Instrument("synth", 81, "synth", 55, 79, ("synth", "synthesizer", "synth lead", "analog synth", "saw lead"), True),
    Instrument("vibraphone", 11, "bells", 58, 82, ("vibraphone", "vibes", "mallets"), True),
    Instrument("church bells", 14, "bells", 58, 77, ("church bells", "tubular bells", "bells", "bell tower")),
    Instrument("cello", 42, "strings", 43, 67, ("cello", "cellos", "violoncello", "solo cello")),
    Instrument("harp", 46, "plucked", 55, 79, ("harp", "concert harp", "harps", "pedal harp"), True),
    Instrument("bagpipe", 109, "winds", 60, 77, ("bagpipe", "bagpipes", "scottish bagpipes"), ornaments=True),
    Instrument("sitar", 104, "plucked", 52, 74, ("sitar", "indian sitar", "sitars"), ornaments=True),
    Instrument("koto", 107, "plucked", 57, 79, ("koto", "japanese koto", "kotos", "guzheng"), ornaments=True),
    Instrument("celesta", 8, "bells", 72, 94, ("celesta", "music box", "glockenspiel", "celeste")),
    Instrument("clarinet", 71, "winds", 55, 79, ("clarinet", "clarinets", "solo clarinet"), ornaments=True),
    Instrument("marimba", 12, "bells", 55, 79, ("marimba", "xylophone", "kalimba", "marimbas")),
)  # fmt: skip
INSTRUMENT: dict[str, Instrument] = {instrument.name: instrument for instrument in INSTRUMENTS}
FAMILY: dict[str, str] = {instrument.name: instrument.family for instrument in INSTRUMENTS}

METER_WORDS = ("in 3/4", "in 3/4 time", "in three four time")  # of pieces in 3/4
KIND_WORDS: dict[Kind, tuple[str, ...]] = {
    "drums": ("drums", "drum beat", "drum loop", "beat", "percussion", "drum kit", "drum groove", "breakbeat"),
    "bass": ("bass", "bassline", "bass line", "bass guitar", "bass groove", "bass riff"),
    "solo": ("solo", "melody", "lead", "riff", "lead melody"),
    "chords": ("chords", "chord progression", "harmony", "chord stabs", "accompaniment"),
    "full": ("band", "full arrangement", "song", "full band", "ensemble", "track", "music"),
}

BASSES: dict[str, int] = {"upright": 32, "finger": 33, "slap": 36, "synth": 38}
KITS: dict[str, int] = {"standard": 0, "power": 16, "electronic": 24, "808": 25, "jazz": 32, "brush": 40}


@dataclass(frozen=True)
class Genre:
    """A genre's habits. Patterns are a bar of sixteenth notes, 16 in 4/4 or 12 in 3/4: `x` loud, `o` soft, `.` a rest.

    `bass` patterns name chord tones instead: 1 root, 3 third, 5 fifth, 7 seventh, 8 octave. Progressions are scale
    degrees from 0. `swing` is the share of a beat that its first eighth takes.
    """

    name: str
    words: tuple[str, ...]
    kit: str
    bass_sound: str
    kick: tuple[str, ...]
    snare: tuple[str, ...]
    hat: tuple[str, ...]
    bass: tuple[str, ...]
    comp: tuple[str, ...]
    progressions: tuple[tuple[int, ...], ...]
    comp_instruments: tuple[str, ...]
    tempi: tuple[float, float]
    minor: float = 0.5
    sevenths: bool = False
    swing: float = 0.5
    snare_pitch: int = 38
    hat_pitch: int = 42

    @property
    def steps(self) -> int:
        """Sixteenth notes of a bar."""
        return len(self.kick[0])

    @property
    def beats(self) -> int:
        """Quarter notes of a bar."""
        return self.steps // 4

    @property
    def bars(self) -> int:
        """Bars of a piece, which are 16 beats or more: a clip at the fastest tempo holds 15."""
        return -(-16 // self.beats)


_BACKBEAT = "....x.......x..."
_EIGHTHS = "x.o.x.o.x.o.x.o."
_POP = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3))

GENRES: tuple[Genre, ...] = (
    Genre(
        "rock", ("rock", "classic rock", "indie rock", "rock and roll"), "standard", "finger",
        ("x.......x.x.....", "x..x....x.......", "x.....x.x.x....."), (_BACKBEAT,), (_EIGHTHS,),
        ("1.1.1.1.1.1.1.1.", "1...1.1.1...1.5."), ("x...x.x.x...x.x.", "x.x.x.x.x.x.x.x."),
        ((0, 3, 4, 3), (0, 6, 3, 0), (0, 5, 3, 4)), ("electric guitar", "organ"), (100, 150), 0.4,
    ),
    Genre(
        "metal", ("metal", "heavy metal", "thrash metal", "hard rock"), "power", "finger",
        ("x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.x."), (_BACKBEAT, "..x...x...x...x."), ("x...x...x...x...", _EIGHTHS),
        ("1.1.1.1.1.1.1.1.", "1.111.1.1.111.1."), ("x.x.x.x.x.x.x.x.",),
        ((0, 5, 6, 0), (0, 1, 0, 6), (0, 0, 5, 6)), ("electric guitar",), (128, 174), 1.0, hat_pitch=51,
    ),
    Genre(
        "pop", ("pop", "synth pop", "indie pop", "catchy pop"), "standard", "finger",
        ("x.......x.......", "x.....x.x......."), (_BACKBEAT,), (_EIGHTHS,),
        ("1...1...1...1...", "1..1..1.1..1..1."), ("x...x...x...x...", "x..x..x.x..x..x."),
        _POP, ("piano", "electric piano", "synth"), (93.75, 128), 0.3, snare_pitch=39,
    ),
    Genre(
        "funk", ("funk", "funky", "groovy funk", "funk groove"), "standard", "slap",
        ("x..x..x...x.....", "x.x....x..x....."), ("....x..o.o..x..o", "....x.......x..o"),
        ("x.xox.xox.xox.xo", _EIGHTHS),
        ("1..8..1.5.7.8...", "1.1...8.7.5.1.7."), ("x.x...x...x.x...", "..x...x...x...x."),
        ((0, 0, 3, 3), (0, 3, 0, 3), (0, 0, 0, 4)), ("electric piano", "organ"), (93.75, 120), 0.7, True,
    ),
    Genre(
        "disco", ("disco", "nu disco", "seventies disco", "dance floor disco"), "standard", "finger",
        ("x...x...x...x...",), (_BACKBEAT,), ("..x...x...x...x.", "o.x.o.x.o.x.o.x."),
        ("1.8.1.8.1.8.1.8.", "1.8.5.8.1.8.5.8."), ("..x...x...x...x.", "x..x..x.x..x..x."),
        ((0, 5, 3, 4), (0, 3, 5, 4)), ("strings", "electric piano"), (110, 128), 0.6, True, hat_pitch=46,
    ),
    Genre(
        "jazz", ("jazz", "jazzy", "smooth jazz", "swing jazz", "bebop"), "jazz", "upright",
        ("x.......o.......", "o...o...o...o..."), ("....o.......o...", "......o.....o..."), ("x...x.o.x...x.o.",),
        ("1...3...5...7...", "1...5...8...7..."), ("x.....x.........", "..x.....x....x..", "x.......x.....x."),
        ((1, 4, 0, 0), (0, 5, 1, 4), (2, 5, 1, 4)), ("piano", "vibraphone"), (100, 160), 0.3, True, 0.66,
        snare_pitch=37, hat_pitch=51,
    ),
    Genre(
        "blues", ("blues", "bluesy", "delta blues"), "standard", "finger",
        ("x.......x.......", "x.......x.x....."), (_BACKBEAT,), ("x.x.x.x.x.x.x.x.",),
        ("1...3...5...3...", "1.1.3.3.5.5.7.5."), ("x...x...x...x...", "..x...x...x...x."),
        ((0, 3, 0, 4), (0, 0, 3, 0)), ("organ", "piano"), (66, 110), 0.2, True, 0.66,
    ),
    Genre(
        "techno", ("techno", "electronic", "minimal techno", "rave", "edm"), "electronic", "synth",
        ("x...x...x...x...",), ("................", "....x.......x..."), ("..x...x...x...x.", "..xo..xo..xo..xo"),
        ("..1...1...1...1.", "..11..11..11..11", "1.111.111.111.11"), ("x..x..x...x..x..", "..x...x...x...x."),
        ((0, 0, 0, 0), (0, 0, 5, 5)), ("synth",), (120, 140.625), 0.9, snare_pitch=39,
    ),
    Genre(
        "house", ("house", "deep house", "club house", "dance"), "808", "synth",
        ("x...x...x...x...",), (_BACKBEAT,), ("..x...x...x...x.", "o.x.o.x.o.x.o.x."),
        ("1..1..1...1.1...", "..1...8...1...8."), ("..x..x....x..x..", "x..x..x...x.x..."),
        ((0, 5, 3, 4), (0, 2, 3, 3)), ("piano", "organ"), (110, 128), 0.6, True, snare_pitch=39, hat_pitch=46,
    ),
    Genre(
        "hip hop", ("hip hop", "hip-hop", "boom bap", "trap", "rap beat"), "808", "synth",
        ("x.....x...x.....", "x..x......xx....", "x.....xx..x....."), (_BACKBEAT,), (_EIGHTHS, "x.x.x.x.x.x.xxxx"),
        ("1.....1...1.....", "1..1......5.7..."), ("x.......x.......", "x.....x...x....."),
        ((0, 5, 3, 4), (0, 3, 0, 4)), ("electric piano", "piano"), (72, 100), 0.8, True, 0.54, snare_pitch=39,
    ),
    Genre(
        "drum and bass", ("drum and bass", "drum n bass", "jungle", "dnb"), "electronic", "synth",
        ("x.........x.....", "x.x.......x....."), (_BACKBEAT, "....x..o.o..x..."), (_EIGHTHS, "x.x.x.x.x.x.x.x."),
        ("1.....1...5.....", "1...1.....7.8..."), ("x.......x.......", "x.....x........."),
        ((0, 0, 5, 5), (0, 5, 3, 4)), ("synth", "strings"), (160, 174), 0.9, True,
    ),
    Genre(
        "reggae", ("reggae", "dub", "ska", "roots reggae"), "standard", "finger",
        ("........x.......", "x.......x......."), ("........x.......",), ("x.o.x.o.x.o.x.o.",),
        ("1...1.3.5...3...", "..1.1...5.5.1..."), ("....x.......x...", "..x...x...x...x."),
        ((0, 3, 0, 3), (0, 4, 3, 4), (0, 0, 3, 4)), ("organ", "piano"), (66, 93.75), 0.4, swing=0.56, snare_pitch=37,
    ),
    Genre(
        "bossa nova", ("bossa nova", "latin", "samba", "brazilian", "latin jazz"), "brush", "upright",
        ("x.....x.x.....x.",), ("x.....x.....x...", "..x...x...x..x.."), ("x.x.x.x.x.x.x.x.",),
        ("1.....5.5.....1.", "1.....5.8.....5."), ("x..x..x...x..x..", "x...x..x..x...x."),
        ((0, 1, 4, 0), (0, 5, 1, 4)), ("acoustic guitar", "piano"), (110, 150), 0.4, True,
        snare_pitch=37, hat_pitch=70,
    ),
    Genre(
        "folk", ("folk", "acoustic folk", "celtic", "irish folk", "traditional"), "brush", "upright",
        ("x.......x.......",), (_BACKBEAT,), (_EIGHTHS,),
        ("1.......5.......", "1...5...1...5..."), ("x...x.x.x...x.x.", "x.xxx.xxx.xxx.xx"),
        ((0, 3, 0, 4), (0, 5, 3, 4), (0, 4, 5, 3)), ("acoustic guitar", "accordion"), (87, 140.625), 0.3, hat_pitch=54,
    ),
    Genre(
        "country", ("country", "bluegrass", "western", "country and western"), "standard", "finger",
        ("x.......x.......", "x.......x.x....."), (_BACKBEAT, "..x...x...x...x."), ("x.x.x.x.x.x.x.x.",),
        ("1.......5.......", "1...5...1...5..."), ("..x...x...x...x.", "x...x.x.x...x.x."),
        ((0, 3, 0, 4), (0, 0, 4, 0)), ("acoustic guitar", "piano"), (100, 160), 0.05,
    ),
    Genre(
        "classical", ("classical", "orchestral", "baroque", "cinematic", "chamber music"), "standard", "upright",
        ("x.......x.......", "x..............."), ("................", "............x.x."), ("x...x...x...x...",),
        ("1...1...1...1...", "1...5...3...5..."), ("x...x...x...x...", "x.x.x.x.x.x.x.x."),
        ((0, 4, 5, 2), (0, 3, 4, 0), (0, 1, 4, 0)), ("strings", "piano"), (66, 120), 0.5, hat_pitch=54,
    ),
    Genre(
        "waltz", ("waltz", "viennese waltz", "waltz in 3/4", "3/4 waltz", "waltzes"), "brush", "upright",
        ("x...........",), ("....x...x...", "....o...o..."), ("x...x...x...", "x.o.x.o.x.o."),
        ("1...........", "1.......5...", "1...5...5..."), ("....x...x...", "....x.o.x.o."),
        ((0, 4, 4, 0), (0, 0, 4, 4), (0, 3, 4, 0), (0, 5, 1, 4)), ("strings", "accordion", "piano"),
        (87, 174), 0.35, hat_pitch=54,
    ),
    Genre(
        "synthwave", ("synthwave", "80s synthwave", "retrowave", "80s", "outrun"), "electronic", "synth",
        ("x...x...x...x...", "x.......x.x....."), (_BACKBEAT,), (_EIGHTHS, "..x...x...x...x."),
        ("1.1.1.1.1.1.1.1.", "1.8.1.8.1.8.1.8.", "1.111.111.111.11"), ("x...x...x...x...", "x.....x.....x..."),
        ((0, 5, 2, 6), (0, 5, 6, 0), (5, 6, 0, 0)), ("synth", "strings"), (80, 120), 0.8,
    ),
    Genre(
        "flamenco", ("flamenco", "flamenca", "rumba flamenca", "spanish"), "standard", "finger",
        ("x.....x...x.....", "x...x...x...x..."), ("..x...x.x...x.x.", "....x.x.....x.x."),
        ("x.ooxxooxxooxxoo", "x.x.x.x.x.x.x.x."),
        ("1...1.5.1...1.5.", "1.....5.1.....1."), ("x.ooxxooxxooxxoo", "x.xxx.xox.xxx.xo"),
        ((0, 6, 5, 4), (0, 0, 6, 5), (3, 2, 5, 4)), ("acoustic guitar",), (100, 140.625), 1.0,
        snare_pitch=39, hat_pitch=70,
    ),
    Genre(
        "reggaeton", ("reggaeton", "dembow", "perreo"), "808", "synth",
        ("x...x...x...x...",), ("...x..x....x..x.",), ("x.x.x.x.x.x.x.x.", "..x...x...x...x."),
        ("1.....1.1.....1.", "1..1..1.1..1..5."), ("x..x..x.x..x..x.", "..x...x...x...x."),
        ((0, 5, 2, 6), (5, 3, 0, 4), (0, 3, 5, 4)), ("synth", "piano"), (87, 100), 0.75,
    ),
    Genre(
        "lo-fi", ("lo-fi", "lofi", "lofi hip hop", "lo-fi beats", "chillhop", "study beats"), "brush", "upright",
        ("x.....x...x.....", "x......x..x....."), (_BACKBEAT,), (_EIGHTHS, "x.o.x.oox.o.x.oo"),
        ("1.......5.......", "1.....1...5.3..."), ("x.......x.......", "x.....x.x.......", "..x...x...x...x."),
        ((1, 4, 0, 5), (3, 2, 1, 0), (0, 5, 1, 4)), ("electric piano", "piano"), (66, 93.75), 0.4, True, 0.6,
        snare_pitch=37,
    ),
)  # fmt: skip
GENRE: dict[str, Genre] = {genre.name: genre for genre in GENRES}
