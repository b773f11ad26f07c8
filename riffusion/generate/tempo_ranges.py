"""Tempi that are given as a range, "tempo 120-130" or "entre 90 et 100 bpm", as the one in its middle."""

import re
from collections.abc import Collection

from riffusion.generate import tokens
from riffusion.generate.reading import FASTEST_BPM, SLOWEST_BPM

_NUMBER = r"(?<![\d.,/-])(\d{2,3})"
_TO = r"\s{0,3}(?:bpm\s{0,3})?(?:[-‐–—~]|\.\.\.?|…|(?<=[\s\dm])(?:to|till?|bis|à|a|al|até|до)(?=\s))\s{0,3}"
_AND = r"\s{1,3}(?:bpm\s{1,3})?(?:and|und|et|y|e|и)\s{1,3}"
_BETWEEN = r"(?:between|zwischen|entre|tra|fra|между)\s{1,3}"
_FROM = r"(?:(?:from|von|de|da|от)\s{1,3})?"
_END = r"(\d{2,3})(?![\d/%]|[.,]\d|\s{0,3}[-–]\s?\d)"
_RANGE = rf"(?:(?<![^\W_]){_BETWEEN}{_NUMBER}{_AND}{_END}|(?<![^\W_]){_FROM}{_NUMBER}{_TO}{_END})"
_TEMPO = r"(?<![^\W_])(?:bpm|tempo|темп)\s{0,3}(?:range\s{0,3})?(?:[:=]\s{0,3}|(?:of|von|de|di)\s{1,3})?"
_AT = r"(?:(?<![^\W_])at\s{1,3}|@\s{0,3})"


class TempoRanges:
    """Finds ranges that a unit follows, or a word for the tempo precedes."""

    def __init__(self, units: Collection[str]) -> None:
        """
        Args:
            units: phrases such as "beats per minute".
        """
        written = sorted({form for each in units for form in (each, tokens.fold(each))})
        unit = "|".join(r"[\s-]{0,3}" + r"\s{1,3}".join(map(re.escape, each.split())) for each in written)
        self._before_unit = re.compile(rf"{_RANGE}(?=(?:{unit})(?![^\W_]))", re.IGNORECASE)
        self._after_word = re.compile(
            rf"({_TEMPO}){_RANGE}|({_AT}){_RANGE}(?=\s{{0,3}}(?:[,;!?)]|\.(?!\d)|$|(?:with|and|for|in|on|by)\b))",
            re.IGNORECASE,
        )

    def in_the_middle(self, prompt: str) -> str:
        """The prompt with one tempo in place of each range: the middle of what the model plays of it."""
        return self._after_word.sub(_middle, self._before_unit.sub(_middle, prompt))


def _middle(found: re.Match[str]) -> str:
    parts = [group for group in found.groups() if group]
    lowest, highest = sorted(map(int, parts[-2:]))
    if highest >= SLOWEST_BPM and lowest <= FASTEST_BPM:
        lowest, highest = max(lowest, SLOWEST_BPM), min(highest, FASTEST_BPM)
    return "".join([*parts[:-2], str((lowest + highest) // 2)])
