"""The whole service on one machine, without root, Docker or network: `riffusion up`."""

import riffusion.jobs  # noqa: F401 -- before redis-py, which it imports without OpenTelemetry
