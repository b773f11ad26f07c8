"""What the supervisor asks the API. No response is a no."""

import httpx

TIMEOUT_S = 1.0


def is_alive(url: str) -> bool:
    """Whether the API responds."""
    return _succeeds(f"{url}/healthz")


def takes_jobs(url: str) -> bool:
    """Whether Redis takes writes and the storage takes files."""
    return _succeeds(f"{url}/readyz")


def _succeeds(url: str) -> bool:
    try:
        # The API is on this machine: a proxy that the environment names has no part in it.
        return httpx.get(url, timeout=TIMEOUT_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False
