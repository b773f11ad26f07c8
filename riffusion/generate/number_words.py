"""Numbers in words, as tempi are spoken: "ninety-six", "a hundred and twenty", "fünfundneunzig", "quatre-vingt-dix"."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from riffusion.generate import tokens
from riffusion.generate.tokens import Phrase

_LEAST, _MOST = 10, 400
_SIXTY, _EIGHTY = 60, 80  # French counts on by tens up to 60, then by scores


@cache
def number_words() -> Mapping[Phrase, int]:
    """The numbers that tempi have, by their words in seven languages."""
    languages = (_english, _german, _french, _spanish, _italian, _portuguese, _russian)
    numbers = ((form, n) for n in range(_LEAST, _MOST) for language in languages for form in language(n))
    return {tokens.words(form): n for form, n in numbers}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _tens(n: int, ones: Sequence[str], tens: Sequence[str], join: str) -> str:
    """A number below 100 of a language that names tens and ones in this order.

    Args:
        ones: the names from 0 on, at least to 19.
        tens: the names from 20 on.
        join: what stands between a ten and a one.
    """
    if n < len(ones):
        return ones[n]
    ten = tens[n // 10 - 2]
    return f"{ten}{join}{ones[n % 10]}" if n % 10 else ten


def _with_hundreds(n: int, below: str, hundreds: Sequence[str], join: str) -> str:
    """A number of a language that names hundreds and what is below them in this order.

    Args:
        below: the name of what is below the hundreds.
        hundreds: the names of 100 alone, of 100 before more, of 200 and of 300.
        join: what stands between them.
    """
    if n < 100:  # noqa: PLR2004
        return below
    if n == 100:  # noqa: PLR2004
        return hundreds[0]
    head = hundreds[n // 100]
    return f"{head}{join}{below}" if n % 100 else head


_ENGLISH = _names(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ENGLISH_TENS = _names("twenty thirty forty fifty sixty seventy eighty ninety")


def _english(n: int) -> Iterator[str]:
    hundreds, rest = divmod(n, 100)
    below = _tens(rest, _ENGLISH, _ENGLISH_TENS, " ")
    if not hundreds:
        yield below
        return
    for head in ("a hundred", "one hundred", "hundred") if hundreds == 1 else (f"{_ENGLISH[hundreds]} hundred",):
        yield from (f"{head} {below}", f"{head} and {below}") if rest else (head,)
    if rest >= _LEAST:
        yield f"{_ENGLISH[hundreds]} {below}"  # "one twenty"


_GERMAN = _names(
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)
_GERMAN_TENS = _names("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")


def _german(n: int) -> Iterator[str]:
    hundreds, rest = divmod(n, 100)
    below = (
        _GERMAN[rest]
        if rest < len(_GERMAN)
        else f"{_GERMAN[rest % 10]}und" * (rest % 10 > 0) + _GERMAN_TENS[rest // 10 - 2]
    )
    if not hundreds:
        yield below
        return
    for head in ("hundert", "einhundert") if hundreds == 1 else (f"{_GERMAN[hundreds]}hundert",):
        yield from (f"{head}{below}", f"{head}und{below}") if rest else (head,)


_FRENCH = _names(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
)
_FRENCH_TENS = _names("vingt trente quarante cinquante")


def _french(n: int) -> Iterator[str]:
    hundreds, rest = divmod(n, 100)
    join = " et " if rest % 10 == 1 else "-"
    if rest < _SIXTY:
        below = _tens(rest, _FRENCH, _FRENCH_TENS, join)
    elif rest < _EIGHTY:
        below = f"soixante{join}{_FRENCH[rest - _SIXTY]}" if rest > _SIXTY else "soixante"
    else:
        below = f"quatre-vingt-{_FRENCH[rest - _EIGHTY]}" if rest > _EIGHTY else "quatre-vingts"
    head = ("", "cent", "deux cent", "trois cent")[hundreds]
    yield f"{head} {below}" if rest else f"{head}s" if hundreds > 1 else head
    if rest == _EIGHTY:
        yield f"{head} quatre-vingt"


_SPANISH = _names(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
)
_SPANISH_TENS = _names("veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa")


def _spanish(n: int) -> Iterator[str]:
    below = _tens(n % 100, _SPANISH, _SPANISH_TENS, " y ")
    yield _with_hundreds(n, below, ("cien", "ciento", "doscientos", "trescientos"), " ")


_ITALIAN = _names(
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove"
)
_ITALIAN_TENS = _names("venti trenta quaranta cinquanta sessanta settanta ottanta novanta")


def _italian(n: int) -> Iterator[str]:
    hundreds, rest = divmod(n, 100)
    below = _tens(rest, _ITALIAN, _ITALIAN_TENS, "")
    if rest > len(_ITALIAN) and rest % 10 in (1, 8):  # the ten loses its vowel: "ventuno", "ventotto"
        below = _ITALIAN_TENS[rest // 10 - 2][:-1] + _ITALIAN[rest % 10]
    head = ("", "cento", "duecento", "trecento")[hundreds]
    yield head + (below if rest else "")
    if hundreds and below.startswith("ott"):
        yield head[:-1] + below  # "centottanta"


_PORTUGUESE = _names(
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito "
    "dezenove"
)
_PORTUGUESE_TENS = _names("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")


def _portuguese(n: int) -> Iterator[str]:
    below = _tens(n % 100, _PORTUGUESE, _PORTUGUESE_TENS, " e ")
    yield _with_hundreds(n, below, ("cem", "cento", "duzentos", "trezentos"), " e ")


_RUSSIAN = _names(
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_RUSSIAN_TENS = _names("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто")


def _russian(n: int) -> Iterator[str]:
    below = _tens(n % 100, _RUSSIAN, _RUSSIAN_TENS, " ")
    yield _with_hundreds(n, below, ("сто", "сто", "двести", "триста"), " ")
