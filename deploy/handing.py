"""Writes a key file of the operator, and hands it on to the services that read it.

On one machine they read the operator's own folder. Containers have a folder each, and
`LANGNGHE_HAND_ON` says where these lie.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.connection import Environment
from deploy.whole_file import write_whole

SERVICES = ("intake", "routing", "reporting")
READ_BY: Mapping[str, Sequence[str]] = {
    "intake.kek": ("intake",),
    "intake.key": ("intake",),
    "operator.pub": SERVICES,
    "chain.key": ("reporting",),
    "agencies.json": ("intake",),
    "mailboxes.json": ("intake",),
    "vault.token": ("intake",),
    "bodies.json": ("routing",),
    "webhooks.json": ("reporting",),
}
"""By file in the folder of keys: the services that read it, and none that does not."""


def keep_key(file: Path, content: bytes) -> None:
    """Returns when the operator and each service that reads it have it."""
    write_whole(file, content)
    folder = Environment().hand_on
    if folder is not None:
        hand_on(file, folder)


def hand_on(file: Path, folder: Path) -> None:
    """What a service has already is left alone: somebody may be reading it."""
    content = file.read_bytes()
    for service in READ_BY.get(file.name, ()):
        target = folder / service / file.name
        if not target.exists() or target.read_bytes() != content:
            write_whole(target, content)
