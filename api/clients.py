"""Who is asking. The one place that decides it; everything else takes the answer."""

from flask import Request


def client_of(request: Request) -> str:
    """The client on whose behalf a request is made: the address it came from.

    Behind proxies, `RIFFUSION_TRUSTED_PROXIES` says how many of their `X-Forwarded-For` entries are believed.
    """
    return f"address:{request.remote_addr or 'unknown'}"
