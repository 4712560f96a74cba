"""The resources under `/v1/`."""

from starlette.routing import Route

from services.reporting.http.feed import feed_teller
from services.reporting.http.printing import Printer
from services.reporting.http.reports import report_lister, report_teller
from services.reporting.ports import Publications
from shared.runtime.http.resource import Handler, Resource


def routes(
    publications: Publications, printer: Printer, away: tuple[type[Exception], ...] = ()
) -> list[Route]:
    """`away` are the errors that say only that the store is away."""

    def read(handler: Handler) -> Resource:
        return Resource({"GET": handler, "HEAD": handler}, away)

    of_one = "/v1/reports/public/{form}/{unit}/{period}"
    return [
        Route("/v1/reports", read(report_lister(publications))),
        Route(of_one, read(report_teller(publications, printer))),
        Route("/v1/feed.atom", read(feed_teller(publications))),
        Route("/v1/{rest:path}", Resource({}, away)),
    ]
