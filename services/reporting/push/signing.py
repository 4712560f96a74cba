"""Standard Webhooks 1.0: HMAC-SHA256 over `<id>.<timestamp>.<body>`."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from shared.contracts.envelope import MEDIA_TYPE


def signed(
    secrets: Sequence[bytes], message: str, at: datetime, body: bytes
) -> Sequence[tuple[str, str]]:
    """The headers; `message` is the same at each try, so that a receiver knows it again.

    One signature for each secret: while a new one takes the place of an old one both hold.
    """
    seconds = str(int(at.timestamp()))
    content = b".".join((message.encode(), seconds.encode(), body))
    signatures = (b64encode(hmac.digest(secret, content, sha256)).decode() for secret in secrets)
    return (
        ("Content-Type", MEDIA_TYPE),
        ("User-Agent", "langnghe"),
        ("webhook-id", message),
        ("webhook-timestamp", seconds),
        ("webhook-signature", " ".join(f"v1,{signature}" for signature in signatures)),
    )
