#!/usr/bin/env python3
# seal.py AGENCY KEY < event.json > sealed.json
import json
import sys
from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def sealed(event: dict, agency: str, key: str) -> dict:
    info = f"langnghe feed/{agency}/{event['type']}/{event['id']}".encode()
    public = X25519PublicKey.from_public_bytes(b64decode(key))
    closed = SUITE.encrypt(json.dumps(event["data"]).encode(), public, info)
    return event | {"data": {"sealed": b64encode(closed).decode()}}


json.dump(sealed(json.load(sys.stdin), *sys.argv[1:]), sys.stdout)
