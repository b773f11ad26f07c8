"""A file within a JSON text."""

from base64 import b64encode


def data_uri(content_type: str, data: bytes) -> str:
    """The file as a URI (RFC 2397)."""
    return f"data:{content_type};base64,{b64encode(data).decode()}"
