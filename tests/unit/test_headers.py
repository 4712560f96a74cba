"""Our reading of headers says what nats-py's own says."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client

from shared.runtime import headers

LINE = st.text(alphabet=" \t\x0b\x0c\x1c\x1f\n\rab:-\u00a0é\x00\x7f", max_size=12)


@given(st.lists(LINE, max_size=6))
@example(["Nats-Msg-Id: 1", "a b: 2", ": 3", " c :\t4 ", "d", "\x1ce: 5"])
def test_the_same_headers_are_read(lines):
    raw = "\r\n".join(lines).encode()

    assert headers.parse_header_lines(raw) == headers.SHIPPED(raw)


def test_a_value_keeps_what_it_says():
    raw = b"Nats-Subject: case.opened.v1\r\ncontent-type:application/cloudevents+json\r\n\r\n"

    assert headers.parse_header_lines(raw) == {
        "Nats-Subject": "case.opened.v1",
        "content-type": "application/cloudevents+json",
    }


def test_a_version_that_nobody_has_looked_at_is_left_alone(monkeypatch):
    monkeypatch.setattr(headers, "version", lambda _name: "99.0")
    monkeypatch.setattr(Client, "_parse_header_lines", staticmethod(headers.SHIPPED))

    headers.mend()

    assert Client._parse_header_lines is headers.SHIPPED


@pytest.mark.parametrize("installed", [headers.MENDS])
def test_the_version_that_was_looked_at_is_mended(monkeypatch, installed):
    monkeypatch.setattr(headers, "version", lambda _name: installed)
    monkeypatch.setattr(Client, "_parse_header_lines", staticmethod(headers.SHIPPED))

    headers.mend()

    assert Client._parse_header_lines is headers.parse_header_lines
