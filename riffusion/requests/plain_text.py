"""Untrusted text, made safe to show within other text."""

import re

# C0, delete and C1; line and paragraph separators; and what changes the direction of the text around it.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def plain(text: str) -> str:
    """The text on one line, without control characters and without marks that turn the text around it.

    A right-to-left override in a title would also turn what a player or a chat program shows behind it.
    """
    return _UNSEEN.sub(" ", text).strip()
