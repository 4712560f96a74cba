"""Who is pushed to: the operator's file `webhooks.json` in the folder of keys.

It has the secrets, which so lie where all other keys are, and in no database.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from shared.contracts import ReportPublished
from shared.contracts.envelope import Code
from shared.runtime.http.credentials import Secret

FILE = "webhooks.json"


class SubscriptionsBroken(Exception):
    """The file is there and cannot be read as one of subscriptions; its text is never told."""


class Subscription(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Code
    url: str
    secret: Secret
    form: Code | None = None
    unit: Code | None = None

    def wants(self, report: ReportPublished) -> bool:
        return self.form in {None, report.form} and self.unit in {None, report.unit}


class _File(RootModel[tuple[Subscription, ...]]):
    model_config = ConfigDict(hide_input_in_errors=True)


def read_subscriptions(folder: Path) -> Sequence[Subscription]:
    """As the file stands now; none without a file. Raises `SubscriptionsBroken`."""
    try:
        return _File.model_validate_json((folder / FILE).read_bytes()).root
    except FileNotFoundError:
        return ()
    except (ValidationError, OSError) as error:
        raise SubscriptionsBroken(type(error).__name__) from None
