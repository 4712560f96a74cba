"""Reads message headers faster than nats-py 2.16 does, to the same result.

As shipped, each character of each name is looked at in Python: with the eight headers that a
stored event has, a fifth of reporting's processor time went there. Another version is left alone.
"""

from importlib.metadata import version

from nats.aio.client import Client

MENDS = "2.16.0"
SHIPPED = Client._parse_header_lines  # noqa: SLF001
"""What a test holds ours against."""


def parse_header_lines(raw: bytes) -> dict[str, str]:
    """Names and values of a block of `Name: Value` lines; what is no header is passed over."""
    if not raw.isascii():
        return SHIPPED(raw)
    out: dict[str, str] = {}
    for line in raw.decode("ascii").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip(_BYTES_SPACE)
            if (key.isprintable() and " " not in key) or not any(map(str.isspace, key)):
                out[key] = value.strip(_BYTES_SPACE)
    return out


_BYTES_SPACE = " \t\n\r\x0b\x0c"
"""What `bytes.strip` takes away."""


def mend() -> None:
    """Put ours in the place of the shipped one, in the version that it was held against."""
    if version("nats-py") == MENDS:
        Client._parse_header_lines = staticmethod(parse_header_lines)  # type: ignore[method-assign] # noqa: SLF001
