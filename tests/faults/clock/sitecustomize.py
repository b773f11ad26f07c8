"""The wall clock of a process, set wrong: Python imports this at its start where the folder stands in PYTHONPATH.

time.time() and datetime are off by as many seconds as the file CLOCK_FILE says at that moment; monotonic clocks, which
no host's clock moves either, are left alone.
"""

import datetime as module
import os
import time
from datetime import datetime as _datetime
from pathlib import Path
from typing import Any

_file = Path(os.environ["CLOCK_FILE"])
_time = time.time


def _offset() -> float:
    return float(_file.read_text())


def _now() -> float:
    return _time() + _offset()


class _AnyDatetime(type):
    """What C code makes are datetimes, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _datetime)


class _Datetime(_datetime, metaclass=_AnyDatetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return _datetime.now(tz) + module.timedelta(seconds=_offset())

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(module.UTC).replace(tzinfo=None)


time.time = _now
time.time_ns = lambda: int(_now() * 1e9)
module.datetime = _Datetime  # type: ignore[misc]
