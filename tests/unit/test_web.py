"""What a service tells of itself while something that it needs is away."""

from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from shared.runtime.mongo import PyMongoError
from shared.runtime.web import Service


class Admin:
    away = False

    async def command(self, _name):
        if self.away:
            raise PyMongoError


async def nothing():
    return None


@pytest.fixture
def parts():
    bus = SimpleNamespace(
        waits_for={}, connection=SimpleNamespace(is_connected=True), start=nothing, stop=nothing
    )
    client = SimpleNamespace(admin=Admin(), close=lambda: None)
    return SimpleNamespace(bus=bus, client=client)


@pytest.fixture
async def service(parts):
    service = Service(parts.bus, parts.client, nothing)
    await service._start()
    return service


def waiting(part):
    return REGISTRY.get_sample_value("langnghe_part_waiting", {"part": part})


async def test_before_it_has_started_it_waits_for_its_start(parts):
    await Service(parts.bus, parts.client, nothing).tell()

    assert waiting("start") == 1


async def test_while_all_is_well_it_waits_for_nothing(service):
    await service.tell()

    assert [waiting(part) for part in ("start", "nats", "mongo")] == [0, 0, 0]


async def test_a_database_that_is_away_is_told(parts, service):
    parts.client.admin.away = True
    await service.tell()

    assert (waiting("mongo"), waiting("nats")) == (1, 0)


async def test_a_broker_that_is_away_is_told(parts, service):
    parts.bus.connection.is_connected = False
    await service.tell()

    assert (waiting("mongo"), waiting("nats")) == (0, 1)


async def test_a_consumer_that_waits_is_told_as_long_as_it_does(parts, service):
    parts.bus.waits_for = {"intake-feed": "StoreAway"}
    await service.tell()
    assert waiting("intake-feed") == 1

    parts.bus.waits_for = {}
    await service.tell()
    assert waiting("intake-feed") is None
