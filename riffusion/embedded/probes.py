"""The supervisor's health checks of the API. No response counts as a failure."""

import httpx

TIMEOUT_S = 1.0


def is_alive(url: str) -> bool:
    """Whether the API responds."""
    return _succeeds(f"{url}/healthz")


def takes_jobs(url: str) -> bool:
    """Whether the API accepts jobs: Redis takes writes and the storage takes files."""
    return _succeeds(f"{url}/readyz")


def _succeeds(url: str) -> bool:
    try:
        # The API is on this machine: a proxy in the environment must not be used.
        return httpx.get(url, timeout=TIMEOUT_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False
