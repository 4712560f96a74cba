"""Who a party's system is, by its bearer token, and with which secret it signs webhooks."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from os import stat_result
from pathlib import Path
from typing import Annotated, Self

import structlog
from pydantic import (
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    model_validator,
)
from starlette.requests import Request

from shared.contracts.envelope import Code
from shared.runtime.http.problem import unauthorized

log = structlog.get_logger("credentials")

CHALLENGE = 'Bearer realm="langnghe"'

Secret = Annotated[
    Base64Bytes,
    Field(min_length=24, max_length=64),
    BeforeValidator(lambda text: text.removeprefix("whsec_") if isinstance(text, str) else text),
]
"""24 to 64 random bytes in base64, with or without `whsec_` (Standard Webhooks)."""


class CredentialsBroken(Exception):
    """The file is there and is not one of credentials; its text is never told."""


class _PersonCredential(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Credential(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    webhook_secret: Secret | None = None
    persons: dict[Code, _PersonCredential] = Field(default_factory=dict)

    def hashes(self) -> Iterator[tuple[str | None, str]]:
        """Every token's, and which person's it is; None: the party's own."""
        if self.token_sha256:
            yield None, self.token_sha256
        for person, entry in self.persons.items():
            yield person, entry.token_sha256


class _File(RootModel[dict[Code, _Credential]]):
    model_config = ConfigDict(hide_input_in_errors=True)

    @model_validator(mode="after")
    def _tokens_tell_parties_apart(self) -> Self:
        tokens = [token for entry in self.root.values() for _, token in entry.hashes()]
        if len(tokens) != len(set(tokens)):
            raise ValueError("two parties or persons have one token")
        return self


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a party's system, or a person of the party by a token of their own."""

    party: str
    person: str | None = None


class Credentials:
    """A file such as `agencies.json`: `{party: {"token_sha256": hex, "webhook_secret": base64}}`.

    Both are optional, as is `"persons": {code: {"token_sha256": hex}}`, of people of the party.
    A token is at least 128 bits drawn at random, or its plain hash would tell
    it. The file is read again when it changed; without one, nobody has a credential. One that
    breaks while running is told in the log, and the last good one stands.
    Raises `CredentialsBroken` at start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._entries = _read(path)

    def party_of(self, token: str) -> str | None:
        """The party whose own token it is; a person's is not."""
        found = self.caller_of(token)
        return found.party if found is not None and found.person is None else None

    def caller_of(self, token: str) -> Caller | None:
        """Whose token it is. Takes the same time whether there is one or not."""
        self._refresh()
        digest = sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = None
        for party, entry in self._entries.items():
            for person, known in entry.hashes():
                if hmac.compare_digest(known, digest):
                    found = Caller(party, person)
        return found

    def secret_of(self, party: str) -> bytes | None:
        self._refresh()
        entry = self._entries.get(party)
        return entry.webhook_secret if entry else None

    def _refresh(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._entries = _read(self._path)
        except CredentialsBroken:
            log.error("not read: the credentials before it stand", part=self._path.name)  # noqa: TRY400 - the trace would quote it


def bearer(request: Request, credentials: Credentials) -> str:
    """The party whose bearer token this is (RFC 6750, section 2.1: the header and no other place).

    Raises `Problem` 401, the same for none and for a wrong one.
    """
    party = credentials.party_of(_token(request))
    if party is None:
        raise unauthorized(CHALLENGE)
    return party


def caller(request: Request, credentials: Credentials) -> Caller:
    """As `bearer`, and which person of the party it is, if the token is a person's."""
    found = credentials.caller_of(_token(request))
    if found is None:
        raise unauthorized(CHALLENGE)
    return found


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _read(path: Path) -> Mapping[str, _Credential]:
    try:
        return _File.model_validate_json(path.read_bytes()).root
    except FileNotFoundError:
        return {}
    except (ValidationError, OSError) as error:
        raise CredentialsBroken(type(error).__name__) from None


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found: stat_result = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
