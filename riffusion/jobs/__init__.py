"""Jobs: the durable record in Redis, the queue, uploads, webhooks, and recovery from failures.

record.py is what a job is, store.py everything that can happen to it, and lua/ has the script of each of those steps.
"""

import sys


def _import_redis() -> None:
    """Imports redis-py without OpenTelemetry's SDK, which it loads wherever that is installed, for metrics of its own.

    They aren't used here, and would be a tenth of a second of every start.
    """
    if "redis" in sys.modules or "opentelemetry" in sys.modules:
        return
    sys.modules["opentelemetry"] = None  # type: ignore[assignment]  # makes its import fail
    try:
        import redis  # noqa: F401
    finally:
        del sys.modules["opentelemetry"]


_import_redis()
