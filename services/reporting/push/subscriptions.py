"""Who is pushed to: the operator's file `webhooks.json` in the folder of keys.

It has the secrets, which so lie where all other keys are, and in no database. Only the operator's
command writes it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator

from shared.contracts import ReportPublished
from shared.contracts.envelope import Code
from shared.contracts.report import Edition
from shared.runtime.http.credentials import Secret

FILE = "webhooks.json"


class SubscriptionsBroken(Exception):
    """The file is there and cannot be read as one of subscriptions; its text is never told."""


class Subscription(BaseModel):
    """`secrets`: the newest first; a second one only while a receiver changes to the first.

    Without `forms`, or without `units`, all of them are wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Code
    url: str
    secrets: Annotated[tuple[Secret, ...], Field(min_length=1, max_length=2)]
    forms: tuple[Code, ...] = ()
    units: tuple[Code, ...] = ()

    def wants(self, report: ReportPublished) -> bool:
        """Never an internal report, whatever the consumer was given."""
        return (
            report.edition is Edition.PUBLIC
            and (not self.forms or report.form in self.forms)
            and (not self.units or report.unit in self.units)
        )


class _File(RootModel[tuple[Subscription, ...]]):
    model_config = ConfigDict(hide_input_in_errors=True)

    @model_validator(mode="after")
    def _each_is_named_once(self) -> Self:
        if len({entry.id for entry in self.root}) != len(self.root):
            raise ValueError("two webhooks have one code")
        return self


def read_subscriptions(folder: Path) -> Sequence[Subscription]:
    """As the file stands now; none without a file. Raises `SubscriptionsBroken`."""
    try:
        return _File.model_validate_json((folder / FILE).read_bytes()).root
    except FileNotFoundError:
        return ()
    except (ValidationError, OSError) as error:
        raise SubscriptionsBroken(type(error).__name__) from None
