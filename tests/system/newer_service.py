"""`python -m tests.system.newer_service routing|reporting`: a service of a version to come.

Its contracts have one optional field more, `urgency`, which routing hands on from a submission to
its case. Nothing of it is in the product.
"""

import sys

from deploy.serving import serve
from services.reporting import app as reporting
from services.routing import app as routing
from services.routing.domain import opening
from shared.contracts import CaseOpened, SubmissionReceived
from shared.contracts.envelope import Event

DEFAULT = "none"


class NewerSubmission(SubmissionReceived):
    urgency: str = DEFAULT


class NewerOpened(CaseOpened):
    urgency: str = DEFAULT


def upgrade() -> None:
    opened = opening._opened

    def newer(event: Event[NewerSubmission]) -> NewerOpened:
        return NewerOpened(**dict(opened(event)), urgency=event.data.urgency)

    opening._opened = newer
    routing.SubmissionReceived = reporting.SubmissionReceived = NewerSubmission
    reporting.CaseOpened = NewerOpened


if __name__ == "__main__":
    upgrade()
    serve(sys.argv[1])
