"""What the operator's commands write is handed on to the services that read it."""

import re
from datetime import UTC, date, datetime

import orjson
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.containers.preparing import Hosts, prepare
from deploy.handing import READ_BY, SERVICES
from deploy.webhooks import drawn, rotate
from deploy.webhooks import shown as shown_secret
from services.reporting.push import FILE, read_subscriptions
from tests.documents import ROOT

NOW, TODAY = datetime(2026, 3, 2, 1, tzinfo=UTC), date(2026, 3, 2)


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    prepare(tmp_path, Hosts(), "langnghe", NOW, TODAY)
    monkeypatch.setenv("LANGNGHE_KEYS", str(tmp_path / "operator" / "keys"))
    monkeypatch.setenv("LANGNGHE_HAND_ON", str(tmp_path))
    return tmp_path


def copies(prepared, name: str) -> set[str]:
    return {path.parent.name for path in prepared.rglob(name)} - {"keys"}


class TestWhoReads:
    @pytest.mark.parametrize("service", SERVICES)
    def test_a_service_is_given_what_its_app_reads(self, service):
        """The names in `app.py`, and those that its modules and settings have."""
        source = (ROOT / "services" / service / "app.py").read_text()
        named = set(re.findall(r'settings\.keys / "([\w.]+)"', source))
        named |= {"vault.token"} & set(re.findall(r'"(vault\.token)"', source))
        named |= {FILE} if "Pusher(" in source else set()

        assert named == {name for name, readers in READ_BY.items() if service in readers}


class TestCommands:
    @pytest.mark.parametrize(
        ("command", "name", "reader"),
        [
            (("agency", "token", "a-so-y-te"), "agencies.json", "intake"),
            (("body", "token", "thanh-tra-tinh"), "bodies.json", "routing"),
        ],
    )
    def test_a_token_reaches_the_service_that_asks_for_it(self, prepared, command, name, reader):
        CliRunner().invoke(app, command)

        own = (prepared / "operator" / "keys" / name).read_bytes()
        assert (prepared / reader / name).read_bytes() == own
        assert copies(prepared, name) == {reader}

    def test_a_changed_webhook_reaches_reporting(self, prepared):
        keys = prepared / "operator" / "keys"
        entry = {"id": "bao", "url": "https://bao.example/in", "secrets": [shown_secret(drawn())]}
        (keys / FILE).write_bytes(orjson.dumps([entry]))
        secret = drawn()

        rotate(keys, "bao", secret)

        [read] = read_subscriptions(prepared / "reporting")
        assert read.secrets[0] == secret
        assert copies(prepared, FILE) == {"reporting"}

    def test_a_file_written_by_hand_is_put(self, prepared):
        done = CliRunner().invoke(app, ("containers", "put", "mailboxes.json"), input="[]")

        assert done.exit_code == 0
        assert (prepared / "intake" / "mailboxes.json").read_bytes() == b"[]"

    @pytest.mark.parametrize("name", ["intake.kek", "../operator.key", "operator.key"])
    def test_no_key_is_written_over_so(self, prepared, name):
        before = (prepared / "operator" / "keys" / "intake.kek").read_bytes()

        done = CliRunner().invoke(app, ("containers", "put", name), input="x")

        assert done.exit_code == 2
        assert (prepared / "operator" / "keys" / "intake.kek").read_bytes() == before

    def test_a_users_key_lies_with_the_others(self, prepared):
        done = CliRunner().invoke(app, ("nats", "key", "agency-a-so-y-te"))

        assert done.exit_code == 0
        assert (prepared / "operator" / "keys" / "nats" / "agency-a-so-y-te.nk").exists()

    def test_without_containers_nothing_is_copied(self, prepared, monkeypatch):
        monkeypatch.delenv("LANGNGHE_HAND_ON")

        CliRunner().invoke(app, ("body", "token", "thanh-tra-tinh"))

        assert copies(prepared, "bodies.json") == set()


def test_prepared_again_what_was_handed_on_is_there(prepared):
    """A volume that was lost is filled from the operator's."""
    CliRunner().invoke(app, ("body", "token", "thanh-tra-tinh"))
    (prepared / "routing" / "bodies.json").unlink()

    prepare(prepared, Hosts(), "langnghe", NOW, TODAY)

    assert (prepared / "routing" / "bodies.json").exists()
