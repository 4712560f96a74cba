"""The HTTP entrance in memory: the real reader behind it, and what it was handed."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

import httpx
import orjson
from starlette.applications import Starlette

from services.intake.handlers import receiver
from services.intake.handlers.ports import StoreAway
from services.intake.sources.http import Credentials, routes
from services.intake.sources.http.pace import Pace
from shared.contracts.ingress import ItemFate
from shared.runtime.arrival import Arrival
from tests.examples_intake import NOON, directory_published, rulebook_published
from tests.fakes_intake import memory_stores, receiving

TOKENS = {"a017": "token-of-a017-drawn-at-random", "a018": "token-of-a018-drawn-at-random"}
SECRETS = {"a017": b"s" * 32, "a018": b"t" * 32}
FIRST = {"Authorization": f"Bearer {TOKENS['a017']}"}


def write_credentials(path, **entries):
    path.write_bytes(orjson.dumps(entries))


def entry(agency):
    return {
        "token_sha256": sha256(TOKENS[agency].encode()).hexdigest(),
        "webhook_secret": b64encode(SECRETS[agency]).decode(),
    }


class Entrance:
    """`handed` is every sending that `accept` was given, `away` makes it say "later"."""

    def __init__(self, folder, *, away=False, **more):
        self.path = folder / "agencies.json"
        write_credentials(self.path, **{agency: entry(agency) for agency in TOKENS})
        self.handed: list[Arrival] = []
        self.away = away
        self.slept: list[float] = []
        self.at, self.tick = NOON, timedelta(seconds=1)
        self.stores = memory_stores()
        self.submissions, self.arrivals = self.stores.submissions, self.stores.arrivals
        self._rules = self.stores.rules
        self._receive = receiver(receiving(self.stores))
        self._routes = {"key": b"k" * 32, "fates": self, "knows": self.knows} | more
        self._routes.setdefault("pace", Pace(lambda: 0.0, self._sleep))

    async def open(self):
        await self._rules.keep([directory_published()], [rulebook_published()])
        return self

    @property
    def app(self):
        return Starlette(
            routes=routes(self.accept, Credentials(self.path), self.now, **self._routes)
        )

    def client(self, **more):
        transport = httpx.ASGITransport(self.app, client=("198.51.100.7", 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://entrance", **more)

    def now(self):
        self.at += self.tick
        return self.at

    async def accept(self, arrivals: Sequence[Arrival]):
        if self.away:
            raise StoreAway
        self.handed += arrivals
        await self._receive(arrivals)
        return [self.arrivals.noted[arrival.key] for arrival in arrivals]

    async def knows(self, agency):
        return agency in (await self._rules.latest()).agencies

    async def fate(self, agency, submission):
        for noted in self.arrivals.noted.values():
            if noted.arrival.party == agency and noted.subject == submission:
                return ItemFate(
                    item=noted.item, sequence=0, fate=noted.fate, submission=noted.subject
                )
        return None

    async def _sleep(self, seconds):
        self.slept.append(seconds)


async def exchange(app, *messages, path="/v1/events", method="POST", headers=()):
    """One request as ASGI messages, so that a test may end it in the middle."""
    waiting, sent = list(messages), []

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("198.51.100.7", 4711),
        "server": ("entrance", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], orjson.loads(body)


def piece(content, *, more):
    return {"type": "http.request", "body": content, "more_body": more}
