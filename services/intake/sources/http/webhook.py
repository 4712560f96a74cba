"""`POST /v1/agencies/{agency}/calls`: the signed webhook of an exchange or call-taker's system.

Signed as Standard Webhooks 1.0 says: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`.
A delivery that comes twice is one call, since its item is named by the delivery's id.
"""

import hmac
import os
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.intake.sources.http.door import Door, Item
from shared.contracts import HotlineCallLogged
from shared.runtime.http.body import MEGABYTE, Bodies
from shared.runtime.http.cloudevents import (
    Unreadable,
    is_json_type,
    media_type,
    read_json,
    write_json,
)
from shared.runtime.http.credentials import Credentials
from shared.runtime.http.problem import (
    one,
    too_large,
    unauthorized,
    unsupported,
)
from shared.runtime.http.resource import Handler

ENTRANCE = "call"
MOST_BYTES = 40 * MEGABYTE
MOST_RECORDS = 5_000
MOST_SIGNATURES = 8
"""Several stand there while a secret is changed; the work of comparing is bounded."""
MOST_ID = 256
TOLERANCE = timedelta(minutes=5)
FORMS = ("ami", "cdr", "cel")

CallRecords = Callable[[str, str, Sequence[Mapping[str, Any]]], Awaitable[Mapping[str, Any]]]
"""Takes an agency's raw exchange records of one of `FORMS`; what it returns is the answer's body.

Returns only when they are kept with majority and journal, harmless when repeated; raises
`StoreAway`.
"""

_NO_SECRET = os.urandom(32)
"""Compared with where an agency has none, so that both take the same time."""


def call_taker(
    door: Door, credentials: Credentials, bodies: Bodies, call_records: CallRecords | None
) -> Handler:
    async def take_calls(request: Request) -> Response:
        agency = request.path_params["agency"]
        kind, charset = media_type(request.headers.get("content-type", ""))
        if not is_json_type(kind) or charset not in {"", "utf-8"}:
            raise unsupported("Send application/json in UTF-8.")
        headers = _Signed(request)
        if abs(door.now() - headers.at) > TOLERANCE:
            raise unauthorized()
        async with bodies.room(request, MOST_BYTES):
            body = await bodies.read(request, MOST_BYTES)
            headers.check(credentials.secret_of(agency), body)
            recorded = door.now()
            try:
                content = _object(body)
                if "records" in content and call_records is not None:
                    form, records = _records(content)
                    kept = await call_records(agency, form, records)
                    return JSONResponse(dict(kept), status_code=HTTPStatus.ACCEPTED.value)
                named = door.name(ENTRANCE, agency, headers.id)
                item = Item(HotlineCallLogged.TYPE, _event(content, agency, named, headers.at))
            except Unreadable as why:
                item = Item("", body, why.problems)
            [answer] = await door.keep(ENTRANCE, agency, [item], recorded)
        return answer.response()

    return take_calls


class _Signed:
    """The three headers of a delivery. Raises `Problem` 401 where one is absent or no such."""

    def __init__(self, request: Request) -> None:
        self.id = request.headers.get("webhook-id", "")
        self._seconds = request.headers.get("webhook-timestamp", "")
        self._signatures = request.headers.get("webhook-signature", "").split()[:MOST_SIGNATURES]
        if not 0 < len(self.id) <= MOST_ID or not self._seconds.isdecimal():
            raise unauthorized()
        try:
            self.at = datetime.fromtimestamp(int(self._seconds), UTC)
        except (OverflowError, ValueError, OSError):
            raise unauthorized() from None

    def check(self, secret: bytes | None, body: bytes) -> None:
        """Raises `Problem` 401, the same for an unknown agency and a wrong signature."""
        signed = hmac.new(secret or _NO_SECRET, digestmod=sha256)
        signed.update(f"{self.id}.{self._seconds}.".encode("latin-1"))
        signed.update(body)
        expected = b"v1," + b64encode(signed.digest())
        matches = [
            hmac.compare_digest(signature.encode("latin-1"), expected)
            for signature in self._signatures
        ]
        if secret is None or not any(matches):
            raise unauthorized()


def _object(body: bytes) -> dict[str, Any]:
    content = read_json(body)
    if not isinstance(content, dict):
        raise Unreadable(one("/", "dict_type", "Send one JSON object."))
    return content


def _event(content: Mapping[str, Any], agency: str, item: str, signed: datetime) -> bytes:
    """Data of `hotline-call.logged.v1`; `time` beside it says when the call began.

    Without it, the call is as old as it is known to be: when it ended, else when it was signed.
    """
    data = dict(content)
    began = data.pop("time", None) or data.get("ended") or signed.isoformat()
    return write_json(
        {
            "specversion": "1.0",
            "id": item,
            "source": f"/agencies/{agency}",
            "type": HotlineCallLogged.TYPE,
            "time": began,
            "data": data,
        }
    )


def _records(content: Mapping[str, Any]) -> tuple[str, Sequence[Mapping[str, Any]]]:
    form, records = content.get("form"), content["records"]
    if form not in FORMS:
        raise Unreadable(one("/form", "enum", f"Use one of {', '.join(FORMS)}."))
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise Unreadable(one("/records", "list_type", "Send a JSON array of objects."))
    if len(records) > MOST_RECORDS:
        raise too_large(f"At most {MOST_RECORDS} records in one delivery.")
    return str(form), records
