"""Name servers of a process: Python imports this at its start where the folder stands in PYTHONPATH.

`*.evil.example` is this machine, whatever the name (wildcard DNS); those of `*.silent.example` don't respond for half a
minute, or until there is a file SILENT_UNTIL.
"""

import _socket
import os
import time
from pathlib import Path
from typing import Any

_getaddrinfo = _socket.getaddrinfo
_sleep = time.sleep  # the thread's, not gevent's
_until = Path(os.environ["SILENT_UNTIL"])


def _named(host: Any, *rest: Any, **options: Any) -> list[Any]:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name.endswith(".silent.example"):
        for _ in range(300):
            if not _until.exists():
                _sleep(0.1)
        raise _socket.gaierror(_socket.EAI_AGAIN, "no name server responds")
    return _getaddrinfo("127.0.0.1" if name.endswith(".evil.example") else host, *rest, **options)


_socket.getaddrinfo = _named
