"""Standard Webhooks 1.0: HMAC-SHA256 over `<id>.<timestamp>.<body>`."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from shared.contracts.envelope import MEDIA_TYPE


def signed(secret: bytes, message: str, at: datetime, body: bytes) -> Sequence[tuple[str, str]]:
    """The headers; `message` is the same at each try, so that a receiver knows it again."""
    seconds = str(int(at.timestamp()))
    content = b".".join((message.encode(), seconds.encode(), body))
    signature = b64encode(hmac.digest(secret, content, sha256)).decode()
    return (
        ("Content-Type", MEDIA_TYPE),
        ("User-Agent", "langnghe"),
        ("webhook-id", message),
        ("webhook-timestamp", seconds),
        ("webhook-signature", f"v1,{signature}"),
    )
