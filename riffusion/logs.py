"""Logging for every process: to standard error, one JSON object a line, or text for people.

The loggers of the standard library and of structlog share one handler, so that Celery, gunicorn and this project write
one stream in one format. So do uncaught exceptions and Python's warnings.

An event is a lower-case phrase without a full stop; its details are fields (`job`, `client`, `reason`, ...).

Much of what is logged comes from clients: paths, names, the text of an exception. So only printable characters are
written: no control sequence reaches a terminal, and no client can forge a line.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

from riffusion import tracing
from riffusion.printable import escape
from riffusion.settings import Settings

_log = logging.getLogger(__name__)


def configure(settings: Settings) -> None:
    """Sends everything from `settings.log_level` up to standard error, in `settings.log_format`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _add_trace,
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
    # They log every request, or every message twice.
    for name in ("httpx", "httpcore", "botocore", "urllib3", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _add_trace(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Adds `trace_id` and `span_id` where there is a trace."""
    return {**tracing.ids(), **event}


def _printable(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {escape(key): _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: object) -> object:
    if key == "exception":  # a traceback: indented, because lines without indentation are events
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
