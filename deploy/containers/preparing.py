"""Writes what each container is given, a folder for each; what is there stays.

Nobody gets more than its own: a service has its seed, its database user and the keys that it
works with, NATS and MongoDB have their certificates, and the operator's folder has the rest.
"""

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from secrets import token_urlsafe

from deploy.access.local import ACCESS_FILE, STORE_KEY, LocalAccess
from deploy.access.permissions import SERVICE, SYSTEM
from deploy.containers.authority import Authority
from deploy.handing import READ_BY, SERVICES, hand_on
from deploy.keys import ensure_keys
from deploy.local.nats_server import MAX_PAYLOAD
from deploy.whole_file import write_whole

OPERATOR, NATS, MONGO = "operator", "nats", "mongo"
OURS, MONGODB = 65532, 999
"""Users that the containers run as: ours and NATS, and the one of MongoDB's own image."""

PASSWORD_BYTES, KEYFILE_BYTES = 32, 192

SERVER = """# Written by `langnghe containers prepare`; the access file beside it changes by itself.
server_name: $NAME
port: 4222
http: 0.0.0.0:8222
max_payload: {payload}
system_account: {system}
tls: {{
  cert_file: "{folder}/server.pem"
  key_file: "{folder}/server.pem"
  ca_file: "{folder}/ca.pem"
}}
jetstream: {{
  store_dir: /data
  sync_interval: always
  cipher: chachapoly
  include "store.conf"
}}
{cluster}include "{access}"
"""
CLUSTER = """cluster: {{
  name: langnghe
  listen: 0.0.0.0:6222
  tls: {{
    cert_file: "{folder}/server.pem"
    key_file: "{folder}/server.pem"
    ca_file: "{folder}/ca.pem"
    verify: true
  }}
  routes: [{routes}]
}}
"""
SEEN_FROM_INSIDE = "/etc/langnghe"
"""Where every container finds its folder."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names of the servers; three of a kind make a cluster."""

    nats: Sequence[str] = ("nats",)
    mongo: Sequence[str] = ("mongo",)


def access_of(folder: Path) -> LocalAccess:
    """The access file lies in the folder of NATS, the keys in the operator's."""
    return LocalAccess(folder / OPERATOR, folder / NATS / ACCESS_FILE)


def prepare(folder: Path, hosts: Hosts, prefix: str, now: datetime, on: date) -> None:
    """Everything under `folder`, once; raises `KeysLost` where keys were and are gone."""
    for name in (OPERATOR, NATS, MONGO, *SERVICES):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    operator = folder / OPERATOR
    keys = ensure_keys(operator)
    access = access_of(folder)
    access.prepare(on)
    authority = Authority(operator, now)
    for name in (NATS, MONGO, *SERVICES):
        _give(authority.certificate, folder / name / "ca.pem")
    authority.issue_once(folder / NATS / "server.pem", (*hosts.nats, "localhost"))
    authority.issue_once(folder / MONGO / "server.pem", (*hosts.mongo, "localhost"))
    _give(operator / STORE_KEY, folder / NATS / "store.conf")
    _put(folder / NATS / "nats.conf", server_conf(hosts).encode())
    _prepare_mongo(folder, hosts)
    for file in READ_BY:
        if (keys / file).exists():
            hand_on(keys / file, folder)
    for service in SERVICES:
        _give(access.seed(SERVICE + service), folder / service / "nats.nk")
        _write_url_once(folder / service, hosts, f"{prefix}_{service}")


def _give(source: Path, target: Path) -> None:
    _put(target, source.read_bytes())


def _put(file: Path, content: bytes) -> None:
    """What stands is left alone: it has the user who reads it already, and somebody may read it."""
    if not file.exists() or file.read_bytes() != content:
        write_whole(file, content)


def server_conf(hosts: Hosts) -> str:
    routes = ", ".join(f'"tls://{host}:6222"' for host in hosts.nats)
    clustered = len(hosts.nats) > 1
    return SERVER.format(
        payload=MAX_PAYLOAD,
        system=SYSTEM,
        folder=SEEN_FROM_INSIDE,
        access=ACCESS_FILE,
        cluster=CLUSTER.format(folder=SEEN_FROM_INSIDE, routes=routes) if clustered else "",
    )


def hand_over(folder: Path) -> None:
    """Give each folder to the user that reads it; needs root.

    Of other folders beside them, which hold what NATS stores, only themselves.
    """
    for each in folder.iterdir():
        owner = MONGODB if each.name == MONGO else OURS
        ours = each.name in (OPERATOR, NATS, MONGO, *SERVICES)
        for path in (each, *(each.rglob("*") if ours else ())):
            os.chown(path, owner, owner)
            path.chmod(0o700 if path.is_dir() else 0o600)


def _prepare_mongo(folder: Path, hosts: Hosts) -> None:
    """`keyfile` lets members of the set know one another; `root.password` makes the first user."""
    mongo = folder / MONGO
    if not (mongo / "keyfile").exists():  # its characters are those of base64
        write_whole(mongo / "keyfile", b64encode(os.urandom(KEYFILE_BYTES)))
    password = mongo / "root.password"
    if not password.exists():
        write_whole(password, token_urlsafe(PASSWORD_BYTES).encode())
    _write_url_once(folder / OPERATOR, hosts, "root", password.read_text())


def _write_url_once(folder: Path, hosts: Hosts, user: str, password: str = "") -> None:
    file = folder / "mongo.url"
    if not file.exists():
        servers = ",".join(f"{host}:27017" for host in hosts.mongo)
        trusted = f"tls=true&tlsCAFile={SEEN_FROM_INSIDE}/ca.pem"
        login = f"{user}:{password or token_urlsafe(PASSWORD_BYTES)}"
        url = f"mongodb://{login}@{servers}/?replicaSet=langnghe&authSource=admin&{trusted}"
        write_whole(file, url.encode())
