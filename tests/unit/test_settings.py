"""A wrong setting is said at once: which one, what it may be, and never what it was."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.settings import SETTINGS, rows
from tests.documents import ROOT

OPERATE = ROOT / "docs" / "operate.md"

WRONG = [
    ("intake", "HTTP_PORT", "99999", "a whole number from 0 to 65,535"),
    ("intake", "PARSERS", "many", "a whole number from 1 to 64"),
    ("intake", "MAY_PROTECT", "secret-party", "a list as JSON"),
    ("intake", "TIMEZONE", "Mars/Olympus", "a zone of the IANA database"),
    ("routing", "NATS_URL", "http://secret-host", "addresses such as tls://host:4222"),
    ("routing", "MONGO_URL", "postgres://u:secret-word@h", "mongodb://host:27017"),
    ("routing", "MONGO_URL_FILE", "/nowhere/secret-place", "a file that can be read"),
    ("reporting", "NATS_SEED", "/nowhere/secret-place", "a file that can be read"),
    ("reporting", "NATS_CA", "/nowhere/secret-place", "a file that can be read"),
    ("reporting", "CLOSES_FROM", "secret-day", "a day such as 2026-12-14"),
    ("intake", "SMTP_URL", "http://u:secret-word@h", "smtp://, smtps:// or lmtp://"),
]


def told(monkeypatch, service: str, **settings: str) -> str:
    for name, value in settings.items():
        monkeypatch.setenv(f"LANGNGHE_{name}", value)
    done = CliRunner().invoke(app, ("serve", service))
    assert done.exit_code == 2, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output


@pytest.mark.parametrize(("service", "name", "value", "allowed"), WRONG)
def test_the_setting_is_named_with_what_it_may_be(monkeypatch, service, name, value, allowed):
    said = told(monkeypatch, service, **{name: value})

    assert f"LANGNGHE_{name} must be" in said
    assert allowed in said
    assert value not in said
    assert "secret" not in said


def test_one_that_asks_for_another_names_both(monkeypatch):
    said = told(monkeypatch, "intake", SMTP_URL="smtp://localhost")

    assert "LANGNGHE_SMTP_URL asks for LANGNGHE_RECEIPT_PAGE" in said


def test_all_that_are_wrong_are_said_at_once(monkeypatch):
    said = told(monkeypatch, "intake", HTTP_PORT="-1", PARSERS="0")

    assert "LANGNGHE_HTTP_PORT" in said
    assert "LANGNGHE_PARSERS" in said


def test_a_misspelt_one_is_not_passed_over(monkeypatch):
    said = told(monkeypatch, "routing", HTTP_PROT="8080")

    assert "LANGNGHE_HTTP_PROT is no setting: LANGNGHE_HTTP_PORT is one." in said


@pytest.mark.parametrize("service", SETTINGS)
def test_a_folder_without_keys_is_named(tmp_path, service):
    """By the process of its own that the command becomes."""
    command = (sys.executable, "-m", "deploy.serving", service)
    wrong = {**os.environ, "LANGNGHE_KEYS": str(tmp_path)}
    done = subprocess.run(
        command, env=wrong, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"LANGNGHE_KEYS: {tmp_path}/")


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_says_what_it_is(settings):
    assert [n for n, field in settings.model_fields.items() if not field.description] == []


def test_the_page_for_operators_has_every_setting_as_it_is():
    """`langnghe settings` prints it."""
    assert "\n".join(rows()) in OPERATE.read_text(encoding="utf-8")
