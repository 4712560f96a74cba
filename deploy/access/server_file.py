"""Writes users down as the NATS server reads them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from deploy.access.permissions import HOME, SYSTEM, TAKE, User

HEAD = b"# Who may say and hear what. Written by `langnghe nats config`: do not edit.\naccounts: "


def server_file(
    users: Iterable[User], keys: Mapping[str, Sequence[str]], shut: Collection[str] = ()
) -> bytes:
    """The `accounts` of a server's configuration; a user without a key is left out.

    Accounts that are `shut` are there and have nobody in them. The same users and keys give the
    same bytes.
    """
    known = sorted((u for u in users if u.name in keys), key=lambda u: u.name)
    parties = [user for user in known if user.account not in (HOME, SYSTEM)]
    accounts: dict[str, Any] = {
        party.account: {
            "users": [] if party.account in shut else _users([party], keys),
            "imports": _imports(party),
        }
        for party in parties
    }
    accounts[HOME] = {
        "jetstream": "enabled",
        "users": _users([user for user in known if user.account == HOME], keys),
        "exports": [export for party in parties for export in _exports(party)],
    }
    accounts[SYSTEM] = {"users": _users([user for user in known if user.account == SYSTEM], keys)}
    return HEAD + orjson.dumps(accounts, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def accounts_in(content: bytes) -> frozenset[str]:
    """The accounts that such a file has."""
    return frozenset(orjson.loads(content.removeprefix(HEAD)))


def _users(users: Iterable[User], keys: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """For each key of each user one entry, all with the same rights."""
    return [_user(user, key) for user in users for key in keys[user.name]]


def _user(user: User, key: str) -> dict[str, Any]:
    return {
        "nkey": key,
        "permissions": {
            "publish": _rule(user.publish, user.never),
            "subscribe": _rule((f"{user.inbox}.>", *user.subscribe)),
        },
    }


def _rule(allowed: Sequence[str], never: Sequence[str] = ()) -> dict[str, Sequence[str]]:
    if not allowed:  # for the server an empty list would allow everything
        return {"deny": [">"]}
    return {"allow": allowed, **({"deny": never} if never else {})}


def _imports(party: User) -> list[dict[str, Any]]:
    return [
        {kind: {"account": HOME, "subject": subject}}
        for kind, subjects in (("service", party.publish), ("stream", party.subscribe))
        for subject in subjects
    ]


def _exports(party: User) -> list[dict[str, Any]]:
    """Each subject to the one account that it is for: a wrong import elsewhere finds nothing."""
    return [
        {kind: subject, "accounts": [party.account], **_answers(subject)}
        for kind, subjects in (("service", party.publish), ("stream", party.subscribe))
        for subject in subjects
    ]


def _answers(subject: str) -> dict[str, str]:
    """A way back that holds for more than one answer, where there are more."""
    return {"response_type": "stream"} if subject.startswith(TAKE) else {}
