"""Signatures as Standard Webhooks 1.0 has them, so that receivers can check them with its libraries."""

import base64
import hashlib
import hmac

PREFIX = "whsec_"


def signed_headers(message_id: str, timestamp: int, body: bytes, *secrets: str) -> dict[str, str]:
    """The three headers of a message.

    Args:
        message_id: the same for every try of the same message.
        timestamp: of this try, Unix seconds.
        secrets: each `whsec_` and the key in base64; a receiver needs to know one of them.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(signed, secret)}" for secret in secrets),
    }


def _signature(signed: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
