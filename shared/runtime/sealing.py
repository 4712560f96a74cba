"""Seals bytes to somebody's public key (HPKE, RFC 9180), so that the bus keeps only ciphertext."""

from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

DEAD_LETTER_USE = "langnghe dead letters"
"""Binds what is sealed to the operator to that one use."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Seal:
    """A public key that anyone may seal to; `info` keeps one use apart from another."""

    def __init__(self, public: bytes, info: str) -> None:
        self._key = X25519PublicKey.from_public_bytes(public)
        self._info = info.encode()

    @classmethod
    def from_text(cls, text: str, info: str) -> "Seal":
        return cls(b64decode(text.strip()), info)

    def close(self, content: bytes) -> str:
        """The sealed content, base64."""
        return b64encode(_SUITE.encrypt(content, self._key, self._info)).decode()


class Opener:
    """The private half; `info` as it was given when sealing."""

    def __init__(self, private: bytes) -> None:
        self._key = X25519PrivateKey.from_private_bytes(private)

    @classmethod
    def from_text(cls, text: str) -> "Opener":
        return cls(b64decode(text.strip()))

    @property
    def public(self) -> str:
        """The public half, base64."""
        return b64encode(self._key.public_key().public_bytes_raw()).decode()

    def open(self, sealed: str, info: str) -> bytes:
        """The content; raises `cryptography.exceptions.InvalidTag` for another key or use.

        Raises `ValueError` for what is no base64.
        """
        return _SUITE.decrypt(b64decode(sealed, validate=True), self._key, info.encode())
