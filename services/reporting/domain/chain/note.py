"""Signed checkpoints: C2SP `tlog-checkpoint` in a `signed-note`, with Ed25519."""

from base64 import b64decode, b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = b"\x01"
PREFIX = "PRIVATE+KEY+"


class Signer:
    """The private key of one log. Its name is the checkpoints' origin.

    Kept as `PRIVATE+KEY+<name>+<id>+<base64>`, told to verifiers as `<name>+<id>+<base64>`.
    """

    def __init__(self, name: str, private: bytes) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._public = ED25519 + self._key.public_key().public_bytes_raw()
        self._id = sha256(name.encode() + b"\n" + self._public).digest()[:4]

    @classmethod
    def from_text(cls, text: str) -> "Signer":
        """Raises `ValueError` for what is no such key."""
        name, plus, rest = text.strip().removeprefix(PREFIX).partition("+")
        key_id, _, encoded = rest.partition("+")
        if not plus or not text.startswith(PREFIX):
            raise ValueError("no key of a chain")
        content = b64decode(encoded, validate=True)
        signer = cls(name, content[1:])
        if content[:1] != ED25519 or signer.key_id != key_id:
            raise ValueError("a damaged key of a chain")
        return signer

    @staticmethod
    def drawn(name: str, private: bytes) -> str:
        """The text of a new key, from 32 random bytes; a name has neither space nor `+`."""
        key_id = Signer(name, private).key_id
        return f"{PREFIX}{name}+{key_id}+{b64encode(ED25519 + private).decode()}"

    @property
    def key_id(self) -> str:
        return self._id.hex()

    @property
    def public(self) -> str:
        return f"{self.name}+{self.key_id}+{b64encode(self._public).decode()}"

    def checkpoint(self, size: int, root: bytes) -> str:
        """The signed note; the same each time it is asked for, since Ed25519 draws nothing."""
        text = f"{self.name}\n{size}\n{b64encode(root).decode()}\n"
        signature = b64encode(self._id + self._key.sign(text.encode())).decode()
        return f"{text}\n\N{EM DASH} {self.name} {signature}\n"
