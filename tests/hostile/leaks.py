"""What no answer may hold, and a check of schemathesis for it (it is loaded by way of SCHEMATHESIS_HOOKS)."""

import re
from typing import Any

import schemathesis

# Paths of this kind of server, stack traces, and the names of what it is built from.
_TELLTALE = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line|/site-packages/|/dist-packages/|/usr/lib/|/root/|/home/|/tmp/|/var/"
    r"|\.py\b.{0,9}line \d|redis\.exceptions|werkzeug\.|RIFFUSION_SECRET|0x[0-9a-f]{12}"
)


def leak(text: str, sent: str = "") -> str | None:
    """What of the server's inside an answer tells; nothing of it is what was sent."""
    for found in _TELLTALE.finditer(text):
        if found[0] not in sent:
            return found[0]
    return None


@schemathesis.check
def leaks_nothing(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """No answer tells of the server's inside."""
    sent = f"{case.path_parameters} {case.query} {case.headers} {case.body!r}"
    if response.headers.get("content-type", [""])[0].startswith(("application/", "text/")):
        found = leak(response.content.decode(errors="replace"), sent)
        assert found is None, f"the answer tells {found!r}"
