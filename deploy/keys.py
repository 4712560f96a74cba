"""Makes the key files of one machine. In production each comes from where keys are kept."""

import os
from base64 import b64decode, b64encode
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.whole_file import write_whole
from services.reporting.domain.chain import Signer

KEY_BYTES = 32
ORIGIN = "langnghe/events"
"""Name of the chain in its checkpoints; the key tells one installation's from another's."""


class KeysLost(Exception):
    """Keys were made here and are gone: what they wrap cannot be read without them."""


def ensure_keys(state: Path) -> Path:
    """The folder of the key files; what is missing in it is made, what is there stays.

    `intake.kek` wraps the data keys of submissions, `intake.key` opens what agencies seal to
    intake, `operator.key` opens dead letters, and `operator.pub` seals them; `chain.key` signs
    checkpoints, and `chain.pub` is for whoever checks them. Call it while the state folder is
    locked: of two processes that make a key at once, one would go on with a key that is kept
    nowhere. Raises `KeysLost` rather than make anew what was here before.
    """
    folder = state / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kek = folder / "intake.kek"
    made = state / "keys-made"
    if not kek.exists():
        if made.exists():
            raise KeysLost(
                f"{kek} is gone, and with it whatever it wraps: put it back from its backup."
            )
        content = {
            "current": "k1",
            "keys": {"k1": _drawn()},
            "fingerprint": _drawn(),
            "receipt": _drawn(),
        }
        write_whole(kek, orjson.dumps(content))
        made.touch()
    for_feed = folder / "intake.key"
    if not for_feed.exists():
        write_whole(for_feed, b64encode(X25519PrivateKey.generate().private_bytes_raw()))
    private, public = folder / "operator.key", folder / "operator.pub"
    if not private.exists():
        public.unlink(missing_ok=True)  # it belongs to a key that is gone
        write_whole(private, b64encode(X25519PrivateKey.generate().private_bytes_raw()))
    if not public.exists():
        key = X25519PrivateKey.from_private_bytes(b64decode(private.read_bytes()))
        write_whole(public, b64encode(key.public_key().public_bytes_raw()))
    _ensure_chain(folder)
    return folder


def _ensure_chain(folder: Path) -> None:
    """A key made anew would sign a chain that no witness of the old one knows."""
    private, public = folder / "chain.key", folder / "chain.pub"
    if not private.exists():
        if public.exists():
            raise KeysLost(
                f"{private} is gone, which signs the chain that {public.name} checks: put it back "
                "from its backup; or move both away, and tell the witnesses of the new key."
            )
        write_whole(private, Signer.drawn(ORIGIN, os.urandom(KEY_BYTES)).encode())
    if not public.exists():
        write_whole(public, Signer.from_text(private.read_text()).public.encode())


def _drawn() -> str:
    return b64encode(os.urandom(KEY_BYTES)).decode()
