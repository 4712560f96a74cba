"""CloudEvents 1.0 over HTTP, pure reading: binary, structured and batched content mode.

HTTP Protocol Binding for CloudEvents 1.0.2, section 3, and JSON Event Format 1.0.2.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from python_multipart.multipart import parse_options_header

from shared.contracts.envelope import MEDIA_TYPE
from shared.contracts.ingress import FieldProblem
from shared.runtime.http.problem import one, unsupported
from shared.runtime.refusal import ADVICE, FIELD_NAME

BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"
JSON_MEDIA_TYPE = "application/json"
PREFIX = b"ce-"

_UTF_8 = frozenset({"", "utf-8", "utf8", "us-ascii"})
_JSON = re.compile(r"^[a-z]+/(?:[a-z0-9.-]+\+)?json$")
_ATTRIBUTE = re.compile(rb"^[a-z0-9]+$")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb"\\(.)")
_NO_ATTRIBUTES = frozenset({b"data", b"datacontenttype"})
"""Binary mode has the body for one and `Content-Type` for the other (section 3.1.1)."""


class Mode(Enum):
    BINARY = auto()
    STRUCTURED = auto()
    BATCHED = auto()


class Unreadable(Exception):
    """What came is no CloudEvent; `problems` say where."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("unreadable")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """`data` is a JSON value where `datacontenttype` is JSON or absent, else bytes; None: none."""

    attributes: Mapping[str, Any]
    data: Any = None

    def encode(self) -> bytes:
        """The event as structured JSON, its data's content type in the contracts' one spelling.

        Raises `Unreadable` for what is nested too deep.
        """
        content = dict(self.attributes)
        if "datacontenttype" in content:
            kind, charset = media_type(str(content["datacontenttype"]))
            if kind == JSON_MEDIA_TYPE and charset in _UTF_8:
                content["datacontenttype"] = JSON_MEDIA_TYPE
        if isinstance(self.data, bytes):
            content["data_base64"] = b64encode(self.data).decode()
        elif self.data is not None:
            content["data"] = self.data
        return write_json(content)


def media_type(header: str) -> tuple[str, str]:
    """A content type and its charset, both in small letters, either empty if absent."""
    kind, options = parse_options_header(header)
    return kind.decode("latin-1"), options.get(b"charset", b"").decode("latin-1").lower()


def mode_of(headers: Iterable[tuple[bytes, bytes]]) -> Mode:
    """How the request carries events; raises `Problem` 415 where it carries none that we read.

    `headers` are lower-case names and raw values.
    """
    listed = list(headers)
    header = next((value for name, value in listed if name == b"content-type"), b"")
    kind, charset = media_type(header.decode("latin-1"))
    is_json = kind in {"", MEDIA_TYPE, BATCH_MEDIA_TYPE} or is_json_type(kind)
    if is_json and charset in _UTF_8:
        if kind == MEDIA_TYPE:
            return Mode.STRUCTURED
        if kind == BATCH_MEDIA_TYPE:
            return Mode.BATCHED
        is_other = kind.startswith("application/cloudevents")
        if not is_other and any(name.startswith(PREFIX) for name, _ in listed):
            return Mode.BINARY
    raise unsupported(
        f"Send {MEDIA_TYPE}, {BATCH_MEDIA_TYPE}, or {JSON_MEDIA_TYPE} with ce- headers, in UTF-8."
    )


def is_json_type(kind: str) -> bool:
    return _JSON.match(kind) is not None


def read_binary(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> CloudEvent:
    """Attributes from `ce-` headers (section 3.1); no other header is looked at but one.

    Raises `Unreadable`.
    """
    attributes: dict[str, Any] = {}
    for header, value in headers:
        if header == b"content-type":
            attributes["datacontenttype"] = value.decode("latin-1")
        if not header.startswith(PREFIX):
            continue
        name = header.removeprefix(PREFIX)
        if not _ATTRIBUTE.match(name) or name in _NO_ATTRIBUTES or name.decode() in attributes:
            raise Unreadable(
                one(_pointer(name), "attribute", "Send each attribute once, under its own name.")
            )
        attributes[name.decode()] = _decoded(name, value)
    kind, _ = media_type(attributes.get("datacontenttype", ""))
    if not body:
        return CloudEvent(attributes)
    if kind and not is_json_type(kind):
        return CloudEvent(attributes, body)
    return CloudEvent(attributes, read_json(body, "/data"))


def read_structured(body: bytes) -> CloudEvent:
    """One event in JSON; raises `Unreadable`."""
    return _event(read_json(body))


def read_batch(body: bytes) -> list[CloudEvent | Unreadable]:
    """Events of a JSON array, in order, each by itself; raises `Unreadable` for no array."""
    content = read_json(body)
    if not isinstance(content, list):
        raise Unreadable(one("/", "list_type", "Send a JSON array of events."))
    read: list[CloudEvent | Unreadable] = []
    for entry in content:
        try:
            read.append(_event(entry))
        except Unreadable as why:
            read.append(why)
    return read


def read_json(content: bytes, field: str = "/") -> Any:  # noqa: ANN401 - whatever JSON there is
    """Raises `Unreadable`."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Unreadable(one(field, "json_invalid", ADVICE["json_invalid"])) from None


def write_json(content: Mapping[str, Any]) -> bytes:
    """Raises `Unreadable` for what is nested deeper than it can be written (254 levels)."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError:
        raise Unreadable(one("/", "too-deep", "Nest it less.")) from None


def _event(content: Any) -> CloudEvent:  # noqa: ANN401 - whatever JSON there is
    if not isinstance(content, dict):
        raise Unreadable(one("/", "dict_type", "Send a JSON object for each event."))
    attributes = {n: v for n, v in content.items() if n not in {"data", "data_base64"}}
    encoded = content.get("data_base64")
    if encoded is None:
        return CloudEvent(attributes, content.get("data"))
    if content.get("data") is not None or not isinstance(encoded, str):
        raise Unreadable(one("/data_base64", "data_base64", "Send data, or base64 of its bytes."))
    try:
        data = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        advice = "Send base64 with + / and =."
        raise Unreadable(one("/data_base64", "base64", advice)) from None
    kind, _ = media_type(str(attributes.get("datacontenttype") or JSON_MEDIA_TYPE))
    return CloudEvent(attributes, read_json(data, "/data_base64") if is_json_type(kind) else data)


def _decoded(name: bytes, value: bytes) -> str:
    """Unquote, then one round of percent-decoding (section 3.1.3.2)."""
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = _ESCAPED.sub(rb"\1", quoted[1])
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        advice = "Percent-encode the value's UTF-8."
        raise Unreadable(one(_pointer(name), "utf-8", advice)) from None


def _pointer(name: bytes) -> str:
    """A header's name is told only if it looks like one: it may be a text."""
    text = name.decode("latin-1")
    return f"/{text}" if FIELD_NAME.match(text) else "/?"
