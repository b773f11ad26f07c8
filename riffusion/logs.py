"""One way to log for every process: to standard error, one JSON object a line, or text for people.

The standard library's loggers and structlog's both end here, so that what Celery, gunicorn and this project say is
one stream of one shape. So do exceptions that nothing catches, and Python's warnings.

Much of what is logged was written by strangers: paths, names, the text of an exception. Whatever it is, only printable
characters reach the stream, so that no control sequence reaches a terminal and nobody else begins a line.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

from riffusion.settings import Settings

_log = logging.getLogger(__name__)


def configure(settings: Settings) -> None:
    """Sends everything from `settings.log_level` up to standard error, in `settings.log_format`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    plain = structlog.dev.plain_traceback
    finish: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer()]  # in ASCII, where no control character is left
        if settings.log_format == "json"
        else [_printable, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *finish,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    # A line a request, or two a message, is theirs to keep.
    for name in ("httpx", "httpcore", "botocore", "urllib3", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def escape(text: str, keep: str = "") -> str:
    """The text with what isn't printable written as in Python, `\\x1b`: control characters, direction marks, line
    separators; but those to keep."""
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def _printable(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {escape(key): _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: object) -> object:
    if key == "exception":  # a traceback: its lines are indented, because those at the margin are events
        return "  " + escape(str(value), keep="\n").replace("\n", "\n  ")
    if isinstance(value, str):
        return escape(value)
    return value if value is None or isinstance(value, bool | int | float) else escape(repr(value))


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, Exception):
        sys.__excepthook__(kind, error, trace)  # Ctrl-C
        return
    _log.critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else None
        _log.critical(
            "uncaught exception in a thread",
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            extra={"thread_name": name},
        )
