"""Puts the document together. The same contracts give the same document, in the same order."""

import re
from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from pydantic import BaseModel

from deploy.asyncapi.schemas import Schemas
from deploy.asyncapi.topics import Topic, asked, hearers, speakers, topics
from shared.contracts import EventData
from shared.contracts.envelope import MEDIA_TYPE
from shared.contracts.questions import QUESTIONS, Question
from shared.runtime.streams import STREAMS

Part = dict[str, Any]

JSON = "application/json"
ASK = "ask"
"""Tag of the questions, which no stream keeps."""

INFO: Part = {
    "title": "Langnghe",
    "version": "1",
    "description": (
        "Every topic of the system. A channel's address is the NATS subject; a type's version "
        "stands in its name, and a change that breaks its readers is a new type beside it. "
        "`send` is what this system says, `receive` what it takes. `x-speakers` and `x-hearers` "
        "are who may publish and subscribe, as the server's permissions have it; services take "
        "what a stream keeps by the durable consumers in `x-consumers`."
    ),
    "license": {"name": "Apache-2.0"},
}
SERVERS: Part = {
    "nats": {
        "host": "localhost:4222",
        "protocol": "nats",
        "description": "NATS with JetStream; the address is the operator's to tell.",
        "security": [{"$ref": "#/components/securitySchemes/nkey"}],
    }
}
SECURITY: Part = {
    "nkey": {
        "type": "asymmetricEncryption",
        "description": (
            "An NKey (Ed25519) for each party: the server has the public key, the party signs "
            "the server's nonce with the seed. Answers come to `_INBOX_<party>.>` alone, so that "
            "the client's inbox prefix must be `_INBOX_<party>`."
        ),
    }
}
PARAMETERS = {
    "agency": "Code of the agency that sends; only it may.",
    "party": "Code of the body, agency or operator that orders or asks; only it may.",
    "form": "Code of the form, from the rulebook.",
    "unit": "Code of the unit that the report is of.",
    "period": "Reporting year and the rulebook's code of the period, e.g. `2026-h1`.",
    "subject": "Subject of the message that was set aside; it has several tokens.",
}
HEADERS: dict[str, Part] = {
    "announced": {
        "type": "object",
        "required": ["Nats-Msg-Id", "content-type"],
        "properties": {
            "Nats-Msg-Id": {
                "type": "string",
                "description": "The event's `id`: the same event said again is one message.",
            },
            "content-type": {"const": MEDIA_TYPE},
        },
    },
    "taken": {
        "type": "object",
        "properties": {
            "Nats-Msg-Id": {
                "type": "string",
                "description": "Not compared: what came before is told by the event's `id`.",
            },
            "content-type": {"type": "string", "description": "Not read."},
        },
    },
}


def document() -> Part:
    """The whole document."""
    every = list(topics())
    events = {topic.contract.TYPE: topic for topic in every}
    schemas = Schemas(
        [
            *(topic.contract for topic in every),
            *(shape for q in QUESTIONS for shape in (q.asked, q.told) if shape),
        ]
    )
    messages = {
        **{name: _event(topic, schemas) for name, topic in events.items()},
        **{name: message for q in QUESTIONS for name, message in _said(q, schemas)},
    }
    return {
        "asyncapi": "3.0.0",
        "info": INFO | {"tags": _tags()},
        "defaultContentType": MEDIA_TYPE,
        "servers": SERVERS,
        "channels": dict(
            [
                *((_key(topic.address), _channel(topic)) for topic in every),
                *(pair for question in QUESTIONS for pair in _asking(question)),
            ]
        ),
        "operations": dict(
            [*(_operation(topic) for topic in every), *(_answering(q) for q in QUESTIONS)]
        ),
        "components": {
            "securitySchemes": SECURITY,
            "schemas": schemas.all,
            "messages": messages,
        },
    }


def _tags() -> list[Part]:
    kept = sorted({topic.stream for topic in topics()})
    described = {stream.name: stream.description for stream in STREAMS}
    return [
        *({"name": name, "description": described[name]} for name in kept),
        {"name": ASK, "description": "Questions and their answers, which no stream keeps."},
    ]


def _key(address: str) -> str:
    return re.sub(r"[{}]", "", address)


def _parameters(address: str) -> Part:
    found = re.findall(r"{(\w+)}", address)
    if not found:
        return {}
    return {"parameters": {name: {"description": PARAMETERS[name]} for name in found}}


def _prose(contract: type[BaseModel]) -> Part:
    said = getdoc(contract) or ""
    summary = " ".join(said.partition("\n\n")[0].split())
    return {"summary": summary, "description": said}


def _event(topic: Topic, schemas: Schemas) -> Part:
    contract: type[EventData] = topic.contract
    return {
        "name": contract.TYPE,
        "title": contract.__name__,
        **_prose(contract),
        "contentType": MEDIA_TYPE,
        "headers": HEADERS[topic.direction],
        "payload": schemas.event(contract),
    }


def _said(question: Question, schemas: Schemas) -> Iterator[tuple[str, Part]]:
    for name, shape in (("asked", question.asked), ("told", question.told)):
        payload = schemas.of(shape) if shape else {"description": "Not read; it may be empty."}
        prose = _prose(shape) if shape else {"summary": "The question says it all."}
        key = f"{question.service}.{question.name}.{name}"
        yield key, {"name": key, **prose, "contentType": JSON, "payload": payload}


def _rights(address: str) -> Part:
    return {"x-speakers": speakers(address), "x-hearers": hearers(address)}


def _channel(topic: Topic) -> Part:
    name = topic.contract.TYPE
    consumers = topic.consumers
    return {
        "address": topic.address,
        "description": _prose(topic.contract)["summary"],
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        **_parameters(topic.address),
        "tags": [{"name": topic.stream}],
        **_rights(topic.address),
        **({"x-consumers": consumers} if consumers else {}),
    }


def _operation(topic: Topic) -> tuple[str, Part]:
    key = _key(topic.address)
    action = "receive" if topic.direction == "taken" else "send"
    return f"{action}.{key}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{key}"},
        "summary": _prose(topic.contract)["summary"],
        "tags": [{"name": topic.stream}],
    }


def _asking(question: Question) -> Iterator[tuple[str, Part]]:
    """The channel of the question, and that of the answer: an inbox, which the asker names."""
    address = asked(question)
    name = f"{question.service}.{question.name}"
    yield (
        _key(address),
        {
            "address": address,
            "messages": {"asked": {"$ref": f"#/components/messages/{name}.asked"}},
            **_parameters(address),
            "tags": [{"name": ASK}],
            **_rights(address),
        },
    )
    yield (
        f"{_key(address)}.reply",
        {
            "address": None,
            "description": "The reply subject of the question.",
            "messages": {"told": {"$ref": f"#/components/messages/{name}.told"}},
            "tags": [{"name": ASK}],
        },
    )


def _answering(question: Question) -> tuple[str, Part]:
    key = _key(asked(question))
    return f"answer.{key}", {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{key}"},
        "summary": _prose(question.told)["summary"],
        "tags": [{"name": ASK}],
        "bindings": {"nats": {"queue": question.service, "bindingVersion": "0.1.0"}},
        "reply": {"channel": {"$ref": f"#/channels/{key}.reply"}},
    }
