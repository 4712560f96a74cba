"""Which mailboxes there are, and how to get in."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, model_validator

from shared.contracts.envelope import Code

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Mailbox(BaseModel):
    """A folder of an agency's mailbox. `done` is where kept mails are moved; empty: nowhere.

    Whoever can write this file reads the agencies' mail.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    agency: Code
    host: str = Field(min_length=1, repr=False)
    port: int = Field(default=993, ge=1, le=65535)
    tls: bool = Field(default=True, description="From the first byte (RFC 8314).")
    user: str = Field(min_length=1, repr=False)
    password: SecretStr
    folder: str = Field(default="INBOX", repr=False)
    done: str = Field(default="", repr=False)

    @model_validator(mode="after")
    def _no_mail_in_clear(self) -> Self:
        if not self.tls and self.host not in LOOPBACK:
            raise ValueError("without TLS only on this machine: who spoke could be read on the way")
        return self


_FILE = TypeAdapter(tuple[Mailbox, ...], config=ConfigDict(hide_input_in_errors=True))


def read_mailboxes(path: Path) -> tuple[Mailbox, ...]:
    """The mailboxes of a JSON list of objects; none without the file.

    Raises `pydantic.ValidationError`, which quotes nothing of the file.
    """
    try:
        return _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
