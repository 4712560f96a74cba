"""`submission …`, `keys …`, `agency …`, `body …`: what protects who spoke; tokens for HTTP."""

import asyncio
import os
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import orjson
import typer
from pydantic import TypeAdapter, ValidationError

from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.command import Order, give
from deploy.connection import NotRunning, connected, find_endpoints, find_keys
from deploy.demo import OPERATOR
from deploy.handing import keep_key
from services.intake.store import MongoDataKeys
from services.intake.wrapping import FileWrapping, dropped, rotated
from shared.contracts import SubmissionErase, SubmissionHold, SubmissionRelease
from shared.contracts.envelope import Code
from shared.runtime.mongo import open_client, open_database

submission_app = typer.Typer(help="Hold, release or erase a submission.", no_args_is_help=True)
keys_app = typer.Typer(help="Keys that wrap the data keys.", no_args_is_help=True)
agency_app = typer.Typer(help="Agencies that feed over HTTP.", no_args_is_help=True)
body_app = typer.Typer(help="Bodies that work over HTTP.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(submission_app, name="submission")
app.add_typer(keys_app, name="keys")
app.add_typer(agency_app, name="agency")
app.add_typer(body_app, name="body")

REWRAPPED_AT_ONCE = 500
KEY_BYTES = 32
LATEST_WRITE_SECONDS = 20.0
"""A process that wrapped a key just before the new one was there has kept it by then, or failed."""

Submission = Annotated[str, typer.Argument(help="Id of the submission.")]
Citation = Annotated[str, typer.Option(help="The legal ground, in words.")]


@submission_app.command()
def erase(
    submission: Submission, citation: Citation, state: State = None, *, as_json: AsJson = False
) -> None:
    """Destroy the keys of what was said and of who said it; case, clocks and counts stay."""
    _order(submission, SubmissionErase, citation, state, as_json=as_json)


@submission_app.command()
def hold(
    submission: Submission, citation: Citation, state: State = None, *, as_json: AsJson = False
) -> None:
    """Nothing of it may be erased until it is released."""
    _order(submission, SubmissionHold, citation, state, as_json=as_json)


@submission_app.command()
def release(
    submission: Submission, citation: Citation, state: State = None, *, as_json: AsJson = False
) -> None:
    """End a hold."""
    _order(submission, SubmissionRelease, citation, state, as_json=as_json)


def _order(
    submission: str,
    contract: type[SubmissionErase | SubmissionHold | SubmissionRelease],
    citation: str,
    state: Path | None,
    *,
    as_json: bool,
) -> None:
    try:
        order = contract(citation=citation)
    except ValidationError:
        console.print("Cite the legal ground in 3 to 1,000 characters.", style="red")
        raise typer.Exit(2) from None

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            wanted = Order(OPERATOR, submission, datetime.now(UTC), order)
            [fate] = await give(client, "intake", [wanted])
        problems = fate.refusal.problems if fate.refusal else ()
        reasons = [problem.advice for problem in problems]
        if as_json:
            emit({"submission": submission, "fate": fate.fate, "reasons": reasons})
        for reason in () if as_json else reasons or (f"{order.TYPE}: done",):
            console.print(reason, markup=False, soft_wrap=True)
        return 1 if fate.refusal else 0

    run(work())


@keys_app.command()
def rotate(
    state: State = None,
    *,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Keep the old key: older backups stay readable.")
    ] = False,
) -> None:
    """Wrap every data key under a new key, then destroy the old one.

    The services go on meanwhile. With the old key goes what backups of wrapped keys could still
    open, those of erased submissions too.
    """

    async def work() -> None:
        endpoints = find_endpoints(state)
        file = find_keys(state) / "intake.kek"
        before = list(orjson.loads(file.read_bytes())["keys"])
        name = f"k{datetime.now(UTC):%Y%m%d%H%M%S}"
        keep_key(file, rotated(file.read_bytes(), name, os.urandom(KEY_BYTES)))
        client = open_client(endpoints.mongo)
        try:
            database = open_database(client, f"{endpoints.mongo_prefix}_intake_keys")
            keys = MongoDataKeys(database, FileWrapping.from_file(file))
            count = await _rewrapped(keys, before)
            if not keep_old:
                await asyncio.sleep(LATEST_WRITE_SECONDS)
                count += await _rewrapped(keys, before)
                for old in before:
                    keep_key(file, dropped(file.read_bytes(), old))
        finally:
            client.close()
        what = "kept" if keep_old else "destroyed"
        console.print(f"{count} keys are wrapped under {name}; {', '.join(before)}: {what}")

    run(work())


async def _rewrapped(keys: MongoDataKeys, old: Sequence[str]) -> int:
    """How many keys were wrapped under one of the old ones, and no longer are."""
    count = 0
    for name in old:
        while done := await keys.rewrap(name, REWRAPPED_AT_ONCE):
            count += done
    return count


@agency_app.command()
def token(
    agency: Annotated[str, typer.Argument(help="Code of the agency.")], state: State = None
) -> None:
    """Make an agency's bearer token and webhook secret anew, and print them this once."""
    secret = b64encode(os.urandom(KEY_BYTES)).decode()
    bearer = _drawn(state, "agencies.json", agency, webhook_secret=secret)
    emit({"agency": agency, "token": bearer, "webhook_secret": f"whsec_{secret}"})


@body_app.command("token")
def body_token(
    body: Annotated[str, typer.Argument(help="Code of the body.")],
    person: Annotated[
        str | None,
        typer.Option(help="Staff code, never a name: the token is this person's own."),
    ] = None,
    state: State = None,
    *,
    drop: Annotated[
        bool, typer.Option("--drop", help="Take the person's token away instead.")
    ] = False,
) -> None:
    """Make a body's bearer token anew, and print it this once; the old one holds no more."""
    if drop and person is None:
        console.print("Name the person whose token is taken away.", style="red")
        raise typer.Exit(2)
    if person is None:
        emit({"body": body, "token": _drawn(state, "bodies.json", body)})
        return
    bearer = _persons(state, body, person, drop=drop)
    emit({"body": body, "person": person, **({"token": bearer} if bearer else {})})


def _persons(state: Path | None, body: str, person: str, *, drop: bool) -> str:
    """A new token of a person of the body; empty where it is taken away instead."""
    file = _file(state, "bodies.json", body, person)
    known = orjson.loads(file.read_bytes()) if file.exists() else {}
    persons = known.setdefault(body, {}).setdefault("persons", {})
    bearer = "" if drop else token_urlsafe(KEY_BYTES)
    if drop:
        persons.pop(person, None)
    else:
        persons[person] = {"token_sha256": sha256(bearer.encode()).hexdigest()}
    keep_key(file, orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return bearer


def _drawn(state: Path | None, name: str, party: str, **more: str) -> str:
    """A new bearer token of the party; the file keeps its hash, and `more` beside it."""
    file = _file(state, name, party)
    known = orjson.loads(file.read_bytes()) if file.exists() else {}
    bearer = token_urlsafe(KEY_BYTES)
    own = {"token_sha256": sha256(bearer.encode()).hexdigest(), **more}
    known[party] = {**known.get(party, {}), **own}
    keep_key(file, orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return bearer


def _file(state: Path | None, name: str, *codes: str) -> Path:
    """The file of credentials; ends the command where something is no code."""
    try:
        for code in codes:
            TypeAdapter(Code).validate_python(code)
        return find_keys(state) / name
    except ValidationError:
        console.print(
            "A party is named by its code in the directory, a person by a staff code.", style="red"
        )
        raise typer.Exit(2) from None
    except NotRunning as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
