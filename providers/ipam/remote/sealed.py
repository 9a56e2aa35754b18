"""Keeping a short-lived secret in the book so that the book alone, or a backup of it, does not tell it.

Who has the settings has the key: it comes from the password. A fresh stream of bytes for each secret covers it (HMAC
in counter mode), and a tag over the whole says whether the key was right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_NONCE = 16
_TAG = 16
_COST = 2**14


class Seal:
    """Seals and opens secrets with a key made from ``password``; ``purpose`` keeps keys of other uses apart."""

    def __init__(self, password: str, purpose: str) -> None:
        key = hashlib.scrypt(password.encode(), salt=purpose.encode(), n=_COST, r=8, p=1, dklen=96)
        self._covering, self._tagging, self._naming = key[:32], key[32:64], key[64:]

    @property
    def name(self) -> str:
        """The same for the same password and purpose, and telling neither."""
        return hmac.new(self._naming, b"name", hashlib.sha256).hexdigest()[:32]

    def seal(self, secret: str) -> str:
        """The secret as it may be kept."""
        nonce = secrets.token_bytes(_NONCE)
        covered = self._cover(nonce, secret.encode())
        tag = hmac.new(self._tagging, nonce + covered, hashlib.sha256).digest()[:_TAG]
        return base64.b64encode(nonce + tag + covered).decode()

    def open(self, sealed: str) -> str | None:
        """The secret again; None when it was sealed with another key or is damaged."""
        try:
            whole = base64.b64decode(sealed, validate=True)
        except ValueError:
            return None
        nonce, tag, covered = whole[:_NONCE], whole[_NONCE : _NONCE + _TAG], whole[_NONCE + _TAG :]
        right = hmac.new(self._tagging, nonce + covered, hashlib.sha256).digest()[:_TAG]
        return self._cover(nonce, covered).decode() if hmac.compare_digest(tag, right) else None

    def _cover(self, nonce: bytes, text: bytes) -> bytes:
        stream = b""
        while len(stream) < len(text):
            counter = len(stream).to_bytes(8)
            stream += hmac.new(self._covering, nonce + counter, hashlib.sha256).digest()
        return bytes(left ^ right for left, right in zip(text, stream, strict=False))
