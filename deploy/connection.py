"""Where the running system is, and how the command line talks to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import nats
import nats.errors
import orjson
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.access.permissions import User, operator
from shared.contracts import DirectoryPublished
from shared.contracts.envelope import Event, EventData
from shared.contracts.ingress import Fate, FatesAsked, FatesTold, ItemFate
from shared.runtime.streams import CONSUMERS, EVENTS, REDRIVEN

DEFAULT_STATE = Path(".langnghe")
ENDPOINTS_FILE = "endpoints.json"
FIRST_SECONDS = 30.0
"""Bound on the first connection: nats-py tries for ever where the certificate is not believed."""


class NotRunning(Exception):
    """No system is running where it was looked for; the text says what to do."""


class Environment(BaseSettings):
    """Addresses given by the environment, e.g. in a container."""

    model_config = SettingsConfigDict(env_prefix="LANGNGHE_", extra="ignore")

    nats_url: str | None = None
    nats_seed: Path | None = None
    nats_ca: Path | None = None
    mongo_url: str | None = None
    mongo_url_file: Path | None = None
    mongo_prefix: str = "langnghe"
    keys: Path | None = None
    hand_on: Path | None = Field(
        default=None,
        description="Folder with a folder for each service, to which key files are handed on.",
    )

    @model_validator(mode="after")
    def _read_secrets(self) -> Self:
        if self.mongo_url_file is not None:
            self.mongo_url = self.mongo_url_file.read_text().strip()
        return self


class Address(str):
    """Where a server is, and how it lets the operator in: a seed's file, if it asks for one.

    `authority` is the file of certificates that it is known by, else the system's.
    """

    __slots__ = ("authority", "seed")

    seed: Path | None
    authority: Path | None

    def __new__(cls, url: str, seed: Path | None = None, authority: Path | None = None) -> Self:
        address = super().__new__(cls, url)
        address.seed, address.authority = seed, authority
        return address


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`nats` is an `Address` where the server asks who connects; `keys` is the folder of keys."""

    nats: str
    mongo: str
    mongo_prefix: str = "langnghe"
    keys: Path | None = None


def find_endpoints(state: Path | None) -> Endpoints:
    """The state folder's addresses if one is named or lies here, else the environment's."""
    environment = Environment()
    file = (state or DEFAULT_STATE) / ENDPOINTS_FILE
    if file.exists() and (state is not None or environment.nats_url is None):
        addresses = orjson.loads(file.read_bytes())
        seed = addresses.get("nats_seed")
        nats_address = Address(addresses["nats"], Path(seed) if seed else None)
        keys = (state or DEFAULT_STATE) / "keys"
        return Endpoints(nats_address, addresses["mongo"], environment.mongo_prefix, keys)
    if state is None and environment.nats_url and environment.mongo_url:
        nats_address = Address(environment.nats_url, environment.nats_seed, environment.nats_ca)
        return Endpoints(
            nats_address, environment.mongo_url, environment.mongo_prefix, environment.keys
        )
    raise NotRunning(
        f"Nothing is running in {state or DEFAULT_STATE}. Start it with `langnghe up`, name its "
        "folder with --state, or set LANGNGHE_NATS_URL and LANGNGHE_MONGO_URL."
    )


def credentials(seed: Path | None, user: User | None = None) -> dict[str, Any]:
    """What `nats.connect` needs to be let in as `user`, the operator if none is given."""
    if seed is None:
        return {}
    return {"nkeys_seed": str(seed), "inbox_prefix": (user or operator()).inbox}


def _trusted(authority: Path | None) -> dict[str, Any]:
    return {"tls": ssl.create_default_context(cafile=authority)} if authority else {}


def find_keys(state: Path | None) -> Path:
    """The folder of the key files: the state folder's, else the environment's.

    Raises `NotRunning` if there is none.
    """
    folder = (state or DEFAULT_STATE) / "keys"
    environment = Environment()
    if state is None and environment.keys is not None:
        folder = environment.keys
    if not folder.is_dir():
        raise NotRunning(f"There are no keys in {folder}: name the state folder with --state.")
    return folder


@asynccontextmanager
async def connected(
    url: str, name: str = "langnghe-cli", user: User | None = None
) -> AsyncIterator[Client]:
    """A connection of the command line, if `url` is an `Address` with a seed as that user.

    The user is the operator if none is given.

    Raises `NotRunning` if nobody answers, or if the server does not let it in.
    """

    async def quiet(_error: Exception) -> None:
        """The caller sees what failed; nats-py's own prints would come between."""

    try:
        async with asyncio.timeout(FIRST_SECONDS):
            client = await nats.connect(
                url.split(","),
                name=name,
                connect_timeout=5,
                max_reconnect_attempts=10,
                error_cb=quiet,
                **_trusted(getattr(url, "authority", None)),
                **credentials(getattr(url, "seed", None), user),
            )
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise NotRunning(
            f"NATS does not answer at {url}, or not to us ({type(error).__name__})."
        ) from None
    try:
        yield client
    finally:
        await client.close()


async def latest_directory(jetstream: JetStreamContext) -> DirectoryPublished | None:
    event = await latest(jetstream, DirectoryPublished)
    return event.data if event else None


async def latest(jetstream: JetStreamContext, contract: type[EventData]) -> Event[Any] | None:
    """The last announced event of a contract, or None."""
    try:
        message = await jetstream.get_last_msg(EVENTS, contract.TYPE)
    except NotFoundError:
        return None
    event: Event[Any] = Event[contract].model_validate_json(message.data or b"")  # type: ignore[valid-type]
    return event


async def pending(jetstream: JetStreamContext) -> dict[str, int]:
    """By durable consumer: messages not yet acknowledged; only those that have any."""
    waiting = {}
    for durable in (*CONSUMERS.values(), *REDRIVEN.values()):
        info = await jetstream.consumer_info(durable.stream, durable.name)
        count = (info.num_pending or 0) + (info.num_ack_pending or 0)
        if count:
            waiting[durable.name] = count
    return waiting


async def ask_fates(
    client: Client, party: str, service: str, sequences: Sequence[int]
) -> dict[int, ItemFate]:
    """By sequence: what became of a party's sendings; those undecided are left out."""
    asked = FatesAsked(sequences=tuple(sequences))
    answer = await client.request(
        f"ask.{party}.{service}.fates", asked.model_dump_json().encode(), timeout=5
    )
    told = FatesTold.model_validate_json(answer.data)
    return {fate.sequence: fate for fate in told.fates}


def refusal_in_words(fate: ItemFate) -> str:
    """Why an item was refused: the problem, then field by field what to do."""
    if fate.fate is not Fate.REFUSED or fate.refusal is None:
        return ""
    fields = "; ".join(f"{p.field} ({p.rule}): {p.advice}" for p in fate.refusal.problems)
    return f"{fate.refusal.title} {fields}".strip()
