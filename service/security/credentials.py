"""The secrets that people and programs show us, `pharos_<keyid>_<secret>`: made here, stored as SHA-256, never kept.

The key id finds the row and names the credential in lists; the secret's 256 random bits make a slow hash needless.
A credential of any other form (an operator may choose PHAROS_ADMIN_TOKEN freely) gets a key id from its hash.
"""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

_FORM = re.compile(r"pharos_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Credential:
    """What is stored of a secret: how to find it (`key`) and how to recognise it (`digest`)."""

    key: str
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> Self:
        """Derive it from a secret; the surrogates of undecodable header bytes are taken as those bytes."""
        digest = sha256(secret.encode(errors="surrogateescape")).digest()
        form = _FORM.fullmatch(secret)
        return cls(form[1] if form else digest.hex()[:16], digest)

    def matches(self, stored: bytes) -> bool:
        """Compare with a stored digest in constant time."""
        return hmac.compare_digest(self.digest, stored)


def new_secret() -> str:
    """Make a secret that nobody has seen."""
    return f"pharos_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"
