"""The command line. Each command is thin: what it does stands in a module of its own."""

import logging
import signal

import typer

from deploy.access.cli import nats_app
from deploy.cli import (
    attacking,
    benching,
    casework,
    chaining,
    checking,
    contracts,
    feeding,
    keeping,
    protecting,
    pushing,
    reporting,
    ruling,
    running,
)
from deploy.containers.cli import containers_app

app = typer.Typer(
    help="Langnghe listens to what people say about public offices.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (
    running,
    ruling,
    feeding,
    protecting,
    casework,
    reporting,
    pushing,
    chaining,
    checking,
    keeping,
    contracts,
    benching,
):
    app.add_typer(part.app)
reporting.report_app.command("attack")(attacking.report_attack)
app.add_typer(nats_app, name="nats")
app.add_typer(containers_app, name="containers")


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("asyncio").setLevel(
        logging.ERROR
    )  # it warns of every TLS connection that ends
    app()
