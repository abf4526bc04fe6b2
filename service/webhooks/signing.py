"""The signature of a delivery: HMAC-SHA256 over the time of sending and the body, so that neither can be exchanged."""

import hmac
import secrets
from hashlib import sha256


def new_secret() -> str:
    """Make a secret of 256 random bits."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return `sha256=<hex>` over `<timestamp>.<body>`; `timestamp` is in seconds since 1970."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
