"""Words that the bot's operator allows in no prompt."""

import re
import unicodedata


class BlockedWords:
    """Words and phrases, found as whole words whatever their case, width and accents.

    Args:
        listed: separated by commas; empty blocks nothing.
    """

    def __init__(self, listed: str) -> None:
        phrases = [phrase for part in listed.split(",") if (phrase := _plain(part).strip())]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)") if phrases else None

    def found_in(self, text: str) -> bool:
        """Whether one of them is in the text."""
        return bool(self._pattern and self._pattern.search(_plain(text)))


def _plain(text: str) -> str:
    """The text without case, width, accents and invisible characters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    visible = "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf"))
    return " ".join(visible.split())
