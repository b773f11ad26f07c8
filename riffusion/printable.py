"""Text of others as terminals and logs may show it."""


def escape(text: str, keep: str = "") -> str:
    """The text with unprintable characters (control characters, direction marks, line separators) written as in Python,
    `\\x1b`, except those to keep."""
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)
