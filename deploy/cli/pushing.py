"""`webhook …`: receivers to which public reports are posted."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from httpcore import AnyIOBackend
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from deploy import webhooks
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import Endpoints, NotRunning, connected, find_endpoints, find_keys
from deploy.webhooks import Unregistered
from services.reporting.push import (
    Caller,
    Refused,
    Standing,
    Subscription,
    SubscriptionsBroken,
    SystemResolver,
    checked,
    posted,
    read_subscriptions,
)
from services.reporting.store import MongoWebhooks
from shared.runtime.mongo import open_client, open_database
from shared.runtime.streams import webhook_durable

webhook_app = typer.Typer(help="Receivers of public reports over HTTP.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(webhook_app, name="webhook")

CodeOf = Annotated[str, typer.Argument(metavar="CODE", help="Code of the webhook.")]


@webhook_app.command("add")
def add(
    code: CodeOf,
    url: Annotated[str, typer.Option(help="https://… on a public host, port 443.")],
    forms: Annotated[str, typer.Option(help="Only these, e.g. s-124,01-xld.")] = "",
    units: Annotated[str, typer.Option(help="Only of these, e.g. so-y-te,tinh.")] = "",
    state: State = None,
    *,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Leave out what is published already.")
    ] = False,
) -> None:
    """Register a receiver, and print its secret this once."""
    secret = webhooks.drawn()
    try:
        checked(url)
        wanted = Subscription.model_validate(
            {
                "id": code,
                "url": url,
                "secrets": [webhooks.shown(secret)],
                "forms": _listed(forms),
                "units": _listed(units),
            }
        )
    except Refused as refused:
        raise _told(f"--url: {refused} (SSRF, see docs/consumers.md)", 2) from None
    except ValidationError:
        raise _told("Webhook, forms and units are named by codes: a-z, 0-9 and -.", 2) from None

    async def work(keys: Path, jetstream: JetStreamContext, standings: MongoWebhooks) -> None:
        await webhooks.add(jetstream, keys, standings, wanted, from_now=from_now)
        emit({"webhook": code, "secret": webhooks.shown(secret)})

    _run(state, work)


@webhook_app.command("list")
def show(state: State = None, *, as_json: AsJson = False) -> None:
    """Each receiver: how far it is, and since when it fails or is paused."""

    async def work(keys: Path, jetstream: JetStreamContext, standings: MongoWebhooks) -> None:
        table = Table("webhook", "host", "number", "waiting", "state")
        for each in read_subscriptions(keys):
            standing = await standings.of(each.id)
            line = _line(each, standing, await _waiting(jetstream, each.id))
            if as_json:
                emit(line)
            else:
                said = (str(line[name]) for name in ("host", "number", "waiting"))
                table.add_row(each.id, *said, _state(standing))
        if not as_json:
            Console().print(table)

    _run(state, work)


def _line(each: Subscription, standing: Standing, waiting: int | None) -> dict[str, object]:
    return {
        "webhook": each.id,
        "host": urlsplit(each.url).hostname,
        "forms": each.forms,
        "units": each.units,
        "secrets": len(each.secrets),
        "number": standing.number,
        "last_delivered": standing.delivered,
        "waiting": waiting,
        "failures": standing.failures,
        "failing_since": standing.failing_since,
        "reason": standing.reason,
        "paused": standing.paused,
    }


def _state(standing: Standing) -> str:
    if standing.paused:
        return f"paused since {standing.paused:%Y-%m-%d %H:%M} UTC: {standing.reason}"
    if standing.failing_since:
        since = f"{standing.failing_since:%Y-%m-%d %H:%M} UTC"
        return f"failing since {since}, {standing.failures} times: {standing.reason}"
    return "well"


async def _waiting(jetstream: JetStreamContext, code: str) -> int | None:
    """Reports not yet confirmed or passed over; None where there is no consumer."""
    durable = webhook_durable(code)
    try:
        info = await jetstream.consumer_info(durable.stream, durable.name)
    except NotFoundError:
        return None
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


@webhook_app.command("remove")
def remove(code: CodeOf, state: State = None) -> None:
    """End it: what was not delivered will not be."""

    async def work(keys: Path, jetstream: JetStreamContext, standings: MongoWebhooks) -> None:
        await webhooks.remove(jetstream, keys, standings, code)
        console.print(f"{code} is removed", markup=False)

    _run(state, work)


@webhook_app.command("resume")
def resume(code: CodeOf, state: State = None) -> None:
    """Let one that was paused go on where it stood."""

    async def work(keys: Path, _jetstream: JetStreamContext, standings: MongoWebhooks) -> None:
        webhooks.find(keys, code)
        gone_on = await standings.resume(code)
        console.print(f"{code} {'goes on' if gone_on else 'was not paused'}", markup=False)

    _run(state, work)


@webhook_app.command("rotate")
def rotate(
    code: CodeOf,
    state: State = None,
    *,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Draw none: sign with the newest one alone.")
    ] = False,
) -> None:
    """Draw a new secret and print it this once; the one before signs too until it is dropped."""
    secret = webhooks.drawn()
    try:
        keys = find_keys(state)
        if drop_old:
            webhooks.drop_old(keys, code)
            console.print(f"{code} signs with its newest secret alone", markup=False)
            return
        webhooks.rotate(keys, code, secret)
    except (NotRunning, Unregistered, SubscriptionsBroken) as error:
        raise _told(_words(error), 1) from None
    emit({"webhook": code, "secret": webhooks.shown(secret)})


@webhook_app.command("test")
def try_out(code: CodeOf, state: State = None) -> None:
    """Post a signed event of type `webhook.trial` from here, as reports are posted."""
    at = datetime.now(UTC)
    caller = Caller(SystemResolver(), AnyIOBackend(), ssl.create_default_context())
    try:
        to = webhooks.find(find_keys(state), code)
    except (NotRunning, Unregistered, SubscriptionsBroken) as error:
        raise _told(_words(error), 1) from None
    sent = webhooks.trial(code, at)
    if why := asyncio.run(posted(caller.post, to, sent.id, at, sent.body)):
        raise _told(f"{code} did not take it: {why}", 1)
    console.print(f"{code} took it", markup=False)


Work = Callable[[Path, JetStreamContext, MongoWebhooks], Coroutine[Any, Any, None]]


def _run(state: Path | None, work: Work) -> None:
    """With the keys, the server and the store of the running system."""

    async def within() -> None:
        endpoints = find_endpoints(state)
        client = open_client(endpoints.mongo)
        try:
            standings = MongoWebhooks(open_database(client, f"{endpoints.mongo_prefix}_reporting"))
            async with connected(endpoints.nats) as bus:
                await work(_keys(endpoints, state), bus.jetstream(), standings)
        finally:
            client.close()

    try:
        run(within())
    except (Unregistered, SubscriptionsBroken) as error:
        raise _told(_words(error), 1) from None


def _keys(endpoints: Endpoints, state: Path | None) -> Path:
    return endpoints.keys or find_keys(state)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _words(error: Exception) -> str:
    if isinstance(error, SubscriptionsBroken):
        return "webhooks.json cannot be read: put it back from its backup, or remove it."
    return str(error)


def _told(text: str, status: int) -> typer.Exit:
    console.print(text, style="red", markup=False, soft_wrap=True)
    return typer.Exit(status)
