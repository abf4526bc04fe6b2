"""Links that a letter carries: signed, so that whoever has one was sent it; nothing of them is stored."""

import hmac
from hashlib import sha256
from typing import Literal
from uuid import UUID

Purpose = Literal["confirm", "unsubscribe"]


def signature(secret: str, purpose: Purpose, user_id: UUID, address: str, expires: int = 0) -> str:
    """Return the HMAC-SHA256 of what a link says, hex; `expires` in seconds since 1970, 0: never."""
    said = "\n".join((purpose, str(user_id), address, str(expires)))
    return hmac.new(secret.encode(), said.encode(), sha256).hexdigest()


def matches(given: str, right: str) -> bool:
    """Compare two signatures in constant time; whatever was given."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
