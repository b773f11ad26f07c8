"""Finds internals of the server in a response; also as a check of schemathesis (loaded by SCHEMATHESIS_HOOKS)."""

import re
from typing import Any

import schemathesis

# Paths of a server, stack traces, and names of the libraries it uses.
_TELLTALE = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line|/site-packages/|/dist-packages/|/usr/lib/|/root/|/home/|/tmp/|/var/"
    r"|\.py\b.{0,9}line \d|redis\.exceptions|werkzeug\.|RIFFUSION_SECRET|0x[0-9a-f]{12}"
)


def leak(text: str, sent: str = "") -> str | None:
    """Internals of the server that a response reveals, unless they were in the request."""
    for found in _TELLTALE.finditer(text):
        if found[0] not in sent:
            return found[0]
    return None


@schemathesis.check
def leaks_nothing(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """No response reveals internals of the server."""
    sent = f"{case.path_parameters} {case.query} {case.headers} {case.body!r}"
    if response.headers.get("content-type", [""])[0].startswith(("application/", "text/")):
        found = leak(response.content.decode(errors="replace"), sent)
        assert found is None, f"the response reveals {found!r}"
