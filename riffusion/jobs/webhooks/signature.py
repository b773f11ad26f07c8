"""Signatures as Standard Webhooks 1.0 has them, so that receivers can check them with its libraries."""

import base64
import hashlib
import hmac

PREFIX = "whsec_"


def signed_headers(message_id: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """The three headers of a message.

    Args:
        message_id: the same for every try of the same message.
        timestamp: of this try, Unix seconds.
        secret: `whsec_` and the key in base64.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
