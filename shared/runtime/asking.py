"""Questions to the NATS server itself, by JetStream's API, for which nats-py has no call."""

from collections.abc import Mapping
from typing import Any

import orjson
from nats.aio.client import Client

SECONDS = 5.0


class Unanswered(Exception):
    """The server answered with an error, e.g. while a consumer is being made anew: ask later."""

    def __init__(self, question: str, code: int) -> None:
        super().__init__(f"{question}: {code}")
        self.code = code


async def ask_server(client: Client, question: str, wanted: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - the server's JSON
    """The answer to `$JS.API.<question>`.

    Raises `Unanswered`, and an error of the bus while NATS is away.
    """
    body = orjson.dumps(wanted) if wanted else b""
    answer = await client.request(f"$JS.API.{question}", body, timeout=SECONDS)
    told = orjson.loads(answer.data)
    if "error" in told:
        raise Unanswered(question, int(told["error"].get("err_code", 0)))
    return told
