"""Tempi, keys and absences that are written in other ways than captions write them."""

import json

import pytest

from riffusion.generate.number_words import number_words
from riffusion.generate.vocabulary import KnownWords
from riffusion.training.data.lexicon import model_vocabulary


@pytest.fixture(scope="module")
def words() -> KnownWords:
    return KnownWords(json.loads(json.dumps(model_vocabulary())))


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("in G", "in G major"),
        ("jazz in G", "jazz in G major"),
        ("jazz in g", "jazz in g major"),
        ("Canon in D", "Canon in D major"),
        ("blues in A with guitar", "blues in A major with guitar"),
        ("piano in the key of a", "piano in the key of a major"),
        ("song in C sharp", "song in C sharp major"),
        ("techno in B♭", "techno in Bb major"),
        ("in F#, house", "in F# major, house"),
        ("key: Eb, house", "key: Eb major, house"),
        ("house in G at 124 bpm", "house in G major at 124 bpm"),
        ("Klavier, Tonart G", "piano, Tonart G major"),
        ("piano en sol", "piano en G major"),
        ("violon en ré avec piano", "violin en D major with piano"),
        ("guitare en do, lente", "acoustic guitar en C major, slow"),
        ("tonalité de sol", "tonalité de G major"),
        ("pianoforte in sol", "piano in G major"),
        ("violino in si bemolle", "violin in Bb major"),
        ("guitarra en la", "acoustic guitar en A major"),
        ("violín en fa sostenido", "violin en F# major"),
        ("violín en fa sostenido menor", "violin en F# minor"),
        ("violão em dó", "acoustic guitar em C major"),
        ("re\u0301 en re\u0301", "ré en D major"),
        ("скрипка в ре", "violin в D major"),
        ("Klavier in Es", "piano in Eb major"),
        ("Klavier in H", "piano in B major"),
        ("Klavier in B", "piano in Bb major"),
        ("Musik in B, langsam", "music in Bb major, slow"),
        ("Tonart B", "Tonart Bb major"),
        ("piano in B", "piano in B major"),
        ("Klavier in B-Dur", "piano in Bb major"),
        ("Klavier in B Moll", "piano in Bb minor"),
        ("Klavier in B flat major", "piano in B flat major"),
        ("Klaviermusik in B", "piano in Bb major"),
        ("Tonart: B", "Tonart: Bb major"),
        ("Klavier, Tonart: G", "piano, Tonart: G major"),
        ("Klavierstücken in B", "Klavierstücken in Bb major"),
        ("Streichquartett in B", "strings in Bb major"),
        ("ruhiges Klavier, in B", "slow piano, in Bb major"),
        ("Musik in B maj", "music in B major"),
        ("orgel in B", "organ in B major"),
        ("Klavier in Des", "piano in C# major"),
    ],
)
def test_a_key_without_a_mode_is_major(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "prompt",
    [
        "in g-funk style", "in a band", "In A Silent Way", "in A minor", "guitar in e moll style", "in D Dorian, flute",
        "in a", "sad violin in G", "in C++", "made in D.C.", "in D&D style", "piano in Bb minor", "in E's band",
        "metal in drop c", "in h", "in Fb", "guitarra en la playa", "piano en mi casa", "hip hop in LA",
        "in la la land", "piano en sol mineur", "piano in es", "en la menor", "sad piano en sol",
    ],
)  # fmt: skip
def test_what_is_no_key_or_has_a_mode_stays(words: KnownWords, prompt: str) -> None:
    assert "major" not in words.canonical(prompt)


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("sixty bpm", "60 bpm"),
        ("piano at a hundred and twenty beats per minute", "piano at 120 beats per minute"),
        ("one-twenty BPM house", "120 BPM house"),
        ("ninety-six bpm", "96 bpm"),
        ("three hundred bpm", "300 bpm"),
        ("tempo of ninety, piano", "90 bpm, piano"),
        ("neunzig Schläge pro Minute", "90 beats per minute"),
        ("Techno mit hundertachtundzwanzig bpm", "Techno with 128 bpm"),
        ("quatre-vingt-dix battements par minute", "90 beats per minute"),
        ("soixante et onze bpm", "71 bpm"),
        ("cent quatre-vingts bpm", "180 bpm"),
        ("ciento veinte bpm", "120 bpm"),
        ("noventa y cinco pulsaciones por minuto", "95 beats per minute"),
        ("centoventotto bpm", "128 bpm"),
        ("centottanta battiti al minuto", "180 beats per minute"),
        ("cento e vinte e cinco bpm", "125 bpm"),
        ("сто двадцать ударов в минуту", "120 beats per minute"),
        ("120-bpm techno", "120 bpm techno"),
        ("120 b.p.m. techno", "120 bpm techno"),
        ("rock, 120 beats a minute", "rock, 120 bpm"),
        ("techno @128", "techno at 128 bpm"),
        ("techno at 128", "techno at 128 bpm"),
        ("blues at 90 in E", "blues at 90 bpm in E major"),
        ("95 beats per min", "95 bpm"),
        ("piano, tempo 128.5", "piano, 128.5 bpm"),
        ("bpm: 93.75, piano", "93.75 bpm, piano"),
        ("jazz ♩=120", "jazz 120 bpm"),
        ("BPM-95", "95 bpm"),
        ("95,5 bpm", "95.5 bpm"),
        ("piano,4/4,120 bpm", "piano,4/4,120 bpm"),
        ("take 5,120 bpm", "take 5,120 bpm"),
    ],
)
def test_tempi_are_read_in_words_and_without_a_unit(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("B flat trumpet", "trumpet"),
        ("B-flat trumpet, slow", "trumpet, slow"),
        ("Bb clarinet", "clarinet"),
        ("B♭ clarinet solo", "clarinet solo"),
        ("a B flat clarinet and piano", "a clarinet and piano"),
        ("E flat alto sax", "alto sax"),
        ("F horn", "horn"),
        ("Es-Klarinette", "clarinet"),
        ("A-Klarinette", "clarinet"),
        ("B-Trompete", "trumpet"),
        ("trumpet in B flat", "trumpet"),
        ("trumpets in Bb with piano", "trumpets with piano"),
        ("alto sax in Eb", "alto sax"),
        ("horn in F", "horn"),
        ("clarinet in A, slow", "clarinet, slow"),
        ("sad clarinet in B flat", "sad clarinet"),
        ("Trompete in B", "trumpet"),
        ("trompette en si bémol", "trumpet"),
        ("sax alto en mi bémol", "sax alto"),
        ("corno in fa", "trumpet"),
        ("clarinete em lá", "clarinet"),
        ("кларнет в си-бемоль", "clarinet"),
        ("B flat trumpet in C minor", "trumpet in C minor"),
        ("trumpet in B flat major", "trumpet in B flat major"),
        ("E flat minor trumpet", "E flat minor trumpet"),
        ("clarinet in A minor", "clarinet in A minor"),
        ("jazz in B flat with trumpet", "jazz in B flat major with trumpet"),
        ("trumpet, in B flat", "trumpet, in B flat major"),
        ("trumpet in G", "trumpet in G major"),
        ("piano in B flat", "piano in B flat major"),
        ("horn in a band", "horn in a band"),
        ("A clarinet", "A clarinet"),
        ("e clarinet", "e clarinet"),
    ],
)
def test_an_instruments_pitch_is_no_key(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("tempo 120-130", "125 bpm"),
        ("tempo: 120 – 130, piano", "125 bpm, piano"),
        ("BPM: 120-130", "125 bpm"),
        ("120-130 bpm", "125 bpm"),
        ("techno 130-120-bpm", "techno 125 bpm"),
        ("120 bpm to 130 bpm house", "125 bpm house"),
        ("from 120 to 130bpm techno", "125bpm techno"),
        ("between 90 and 100 bpm", "95 bpm"),
        ("techno at 125-135, dark", "techno at 130 bpm, dark"),
        ("zwischen 90 und 100 Schläge pro Minute", "95 beats per minute"),
        ("Tempo von 120 bis 130", "125 bpm"),
        ("entre 90 et 100 battements par minute", "95 beats per minute"),
        ("de 120 à 130 bpm", "125 bpm"),
        ("de 120 a 130 bpm", "125 bpm"),
        ("entre 90 y 100 bpm", "95 bpm"),
        ("tra 90 e 100 bpm", "95 bpm"),
        ("от 120 до 130 ударов в минуту", "125 beats per minute"),
        ("темп 120-130", "125 bpm"),
        ("160-220 bpm", "170 bpm"),  # the middle of what can be played of it
        ("30-50 bpm", "40 bpm"),
        ("at 10-20 seconds", "at 10-20 seconds"),
        ("tempo 120-130-140", "tempo 120-130-140"),
        ("3/4 120 bpm", "3/4 120 bpm"),
    ],
)
def test_a_range_of_tempi_is_its_middle(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "prompt", ["jazz at 3 am", "piano at 90%", "sixty pianos", "at 44100 Hz", "rock at 90.5 percent"]
)
def test_other_numbers_stay(words: KnownWords, prompt: str) -> None:
    assert "bpm" not in words.canonical(prompt)


def test_every_tempo_has_words_in_seven_languages() -> None:
    numbers = list(number_words().values())
    assert all(numbers.count(n) >= 6 for n in range(40, 301))  # "cinquanta" is Italian and Portuguese


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("drum-free jazz", "no drums jazz"),
        ("drum free jazz", "no drums jazz"),
        ("drumless jazz", "no drums jazz"),
        ("percussion-less cello", "no percussion, cello"),
        ("beatless piano", "no beat, piano"),
        ("bassless guitar", "no bass, guitar"),
        ("schlagzeugfreie Musik", "no drums, music"),
        ("endless jazz", "endless jazz"),
        ("free jazz", "free jazz"),
        ("royalty-free drums", "royalty-free drums"),
        ("royalty free drums", "royalty free drums"),
        ("trap type beat free download", "trap type beat free download"),
        ("bass free solo", "bass free solo"),
        ("cello, zero drums", "cello, no drums"),
        ("cello, remove the drums", "cello, no drums"),
        ("no loud drums, flute", "no drums, flute"),
        ("without any electronic drums, flute", "no drums, flute"),
        ("piano without drums and bass", "piano without drums and bass"),
        ("Klavier, weder Schlagzeug noch Bass", "piano, no drums no bass"),
        ("флейта без ударных и баса", "flute no drums no bass"),
        ("flute without drums and with piano", "flute without drums and with piano"),
        ("flute, no drums and bass", "flute, no drums no bass"),
        ("no bass and drums, flute", "no bass no drums, flute"),
        ("no drums & bass, flute", "no drums & no bass, flute"),
        ("don't use drums and bass, flute", "no drums no bass, flute"),
        ("no drums and a flute", "no drums and a flute"),
        ("no drums and no bass", "no drums and no bass"),
        ("no drums, bass or guitar", "no drums, no bass or guitar"),
        ("no drums, flute", "no drums, flute"),
        ("no drums, just flute or piano", "no drums, just flute or piano"),
        ("kein Schlagzeug und Bass, Flöte", "no drums no bass, flute"),
        ("ohne Schlagzeug und Bass", "no drums no bass"),
        ("sans batterie ni basse", "no drums no bass"),
        ("pas de batterie et de basse", "no drums no bass"),
        ("ni batterie ni basse et flûte", "no drums no bass and flute"),
        ("sin batería ni bajo", "no drums no bass"),
        ("no batería y bajo", "no drums no bass"),
        ("senza batteria, basso o pianoforte", "no drums, no bass no piano"),
        ("sem bateria nem baixo", "no drums no bass"),
        ("ни барабанов ни баса", "no drums no bass"),
        ("aucune batterie, piano", "no drums, piano"),
        ("ninguna batería", "no drums"),
        ("никаких барабанов", "no drums"),
        ("Eu não quero bateria", "Eu no drums"),
        ("free from drums", "no drums"),
        ("piano, you shouldn't have drums", "piano, you no drums"),
        ("exclude: drums", "no drums"),
        ("piano, -drums", "piano, no drums"),
        ("lo-fi, e-piano", "lo-fi, e-piano"),
        ("no drums/bass, flute", "no drums/no bass, flute"),
        ("guitar, no drumz", "guitar, no drums"),
        ("sans baterie, piano", "no drums, piano"),
        ("no pianno, guitar", "no piano, guitar"),
        ("piano, no bass guitar", "piano, no bass guitar"),
        ("no bass drum, techno", "no bass drum, techno"),
        ("no annoying vocals, jazz", "no vocals, jazz"),
        ("flûte sans guitare", "flute no acoustic guitar"),
        ("flute, pas de guitare", "flute, no acoustic guitar"),
        ("not sad, piano", "piano"),
        ("happy, not sad, piano", "happy, piano"),
        ("rock but not metal", "rock "),
        ("no rock or pop", ""),
        ("pas trop vite, piano", "piano"),
        ("no tan rápido, piano", "piano"),
        ("no quiero guitarra", "no acoustic guitar"),
        ("не используй гитару", "no acoustic guitar"),
        ("je ne veux pas entendre de batterie", "je ne veux no drums"),
        ("ohne Percussion und Gesang", "no percussion no choir"),
        ("avoid percussion", "no percussion"),
        ("no heavy kick", "no heavy kick"),
        ("keine E-Gitarre", "no electric guitar"),
        ("no lead singer", "no vocals"),
        ("not jazz-influenced, not piano-heavy", "not jazz-influenced, not piano-heavy"),
        ("no reverb or guitar", "no reverb or guitar"),
        ("no electronic drums or acoustic drums", "no drums or acoustic drums"),
        ("je ne veux pas de batterie", "je ne veux no drums"),
        ("I don't want no drums", "I don't want no drums"),
        ("guitarra y no batería", "acoustic guitar and no drums"),
        ("música, no batería", "music, no drums"),
        ("no 5 string bass", "no bass"),
        ("no bass dubstep", "no bass drum and bass"),
    ],
)
def test_absences(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("not only drums", "not only drums"),
        ("nicht nur Schlagzeug", "nicht nur drums"),
        ("не только барабаны", "не только drums"),
        ("not just piano, also guitar", "not just piano, also guitar"),
        ("non solo pianoforte", "piano"),
        ("not too fast drums", "drums"),
        ("nicht so laute Trommeln", "nicht so laute drums"),
        ("not loud drums", "not loud drums"),
        ("do not use loud drums", "do no drums"),
        ("non-stop drums", "drums"),
        ("piano, no copyright drums", "piano, drums"),
        ("without doubt drums", "drums"),
        ("no electronic drums, only acoustic drums", "drums, only acoustic drums"),
        ("oh no, sad piano", "sad piano"),
        ("no, I want drums", "no, I want drums"),
        ("No. Drums please.", "No. Drums please."),
        ("Mambo No. 5 trumpet", "bossa nova No. 5 trumpet"),
        ("number no 1 pop", "number no 1 pop"),
        ("no 808, techno", "no 808, techno"),
        ("uma música no piano", "uma music em piano"),
        ("no drums/piano", "no drums/piano"),
        ("no vocals + piano", "no vocals + piano"),
        ("E-Gitarre und -Bass", "electric guitar and -Bass"),
        ("not without drums", "drums"),
        ("don't forget drums", "drums"),
        ("don't remove the drums", "the drums"),
        ("no other instruments except piano", "no other instruments except piano"),
        ("no anything but piano", "piano"),
        ("nicht ohne Schlagzeug", "drums"),
        ("don't leave out the drums", "the drums"),
        ("ground zero metal", "ground zero metal"),
        ("love hate rock", "love hate rock"),
        ("no fuss piano", "no fuss piano"),
        ("pas que du piano", "du piano"),
        ("nothing except piano", "piano"),
        ("solo no violão", "solo em acoustic guitar"),
        ("música, no drums", "music, no drums"),
    ],
)
def test_a_negation_that_leaves_nothing_out(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical
    assert not any("drums" in each or "piano" in each for each in words.warnings(prompt))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("vocal-free jazz", []),
        ("bass-less funk", ["To leave out “bass”, use the negative prompt."]),
        ("non-vocal house", []),
        ("no guitar and piano", ["To leave out “guitar” and “piano”, use the negative prompt."]),
        ("no piano and drums", ["To leave out “piano”, use the negative prompt."]),
        ("no drums and no bass", []),
        ("no rock and pop", ["To leave out “rock” and “pop”, use the negative prompt."]),
        ("not sad and piano", ["To leave out “sad”, use the negative prompt."]),
        ("no vocals and slow piano", []),
        ("no piano, guitar, or flute", ["To leave out “piano”, “guitar” and “flute”, use the negative prompt."]),
        ("sin guitarra y piano", ["To leave out “guitarra” and “piano”, use the negative prompt."]),
        ("no more sad songs", ["To leave out “sad”, use the negative prompt."]),
        ("royalty-free piano", ["The model doesn't know “royalty” and “free”; it goes by “piano”."]),
        ("stress-free piano", ["The model doesn't know “stress” and “free”; it goes by “piano”."]),
        ("lyric-free piano", []),
        ("forty bpm", ["The model plays at 60 to 180 bpm, not at 40."]),
        ("techno at 250", ["The model plays at 60 to 180 bpm, not at 250."]),
        ("blue piano", ["The model doesn't know “blue”; it goes by “piano”."]),
        ("take five piano", ["The model doesn't know “take” and “five”; it goes by “piano”."]),
        ("90s house", ["The model doesn't know “90s”; it goes by “house”."]),
        ("80s synthwave", []),
        ("Ebm7 piano", ["The model doesn't know “ebm7”; it goes by “piano”."]),
        ("piano arpeggios", ["The model can't play “arpeggios”; the nearest that it can is synth."]),
        ("drumz", ["The model reads “drumz” as “drums”."]),
        ("instrumental only, no vocals", []),
        ("techno, no kick drum", ["To leave out “kick drum”, use the negative prompt."]),
        (
            "no pianno, guitar",
            ["To leave out “pianno”, use the negative prompt.", "The model reads “pianno” as “piano”."],
        ),
        ("jazz without loud saxophone", ["To leave out “saxophone”, use the negative prompt."]),
        ("jazz without the saxophone", ["To leave out “saxophone”, use the negative prompt."]),
        ("não triste", ["To leave out “triste”, use the negative prompt."]),
        ("piano 99999 bpm", ["The model plays at 60 to 180 bpm, not at 99999."]),
        ("95,5 bpm", []),
        ("clavinet", ["The model can't play “clavinet”; the nearest that it can is electric piano."]),
        ("new wave", ["The model can't play “new wave”; the nearest that it can is synthwave."]),
        ("no good jazz", ["To leave out “jazz”, use the negative prompt."]),
        (
            "no guitars, thank you",
            ["The model doesn't know “thank”.", "To leave out “guitars”, use the negative prompt."],
        ),
        ("laute Musik", ["The model doesn't know “laute”; it goes by “musik”."]),
    ],
)
def test_what_is_said_of_them(words: KnownWords, prompt: str, expected: list[str]) -> None:
    assert words.warnings(prompt) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "in G " * 400, "ninety " * 285, "one hundred and bpm " * 100, "a-free" * 333, "@128 " * 400,
        "no drums, " + "piano, " * 280, "no drums and " * 150, "tempo 120-" * 200, "between 90 and " * 130,
        "in sol " * 280, "B flat " * 280, "trumpet in " * 180, "no drums " + "& bass " * 280, "1" * 60 + "-" * 1900,
    ],
)  # fmt: skip
def test_long_prompts_are_read_in_time(words: KnownWords, prompt: str) -> None:
    assert len(words.canonical(prompt)) < 8000
