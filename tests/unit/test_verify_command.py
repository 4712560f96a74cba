"""What `verify` says where it can know nothing: never that a file is to blame which is not."""

import nats.errors
import pytest
from typer.testing import CliRunner

from deploy.cli import app, checking


@pytest.fixture
def system(monkeypatch):
    monkeypatch.setenv("LANGNGHE_NATS_URL", "nats://127.0.0.1:1")
    monkeypatch.setenv("LANGNGHE_MONGO_URL", "mongodb://127.0.0.1:1")


@pytest.mark.parametrize("late", [TimeoutError, nats.errors.TimeoutError])
def test_a_server_that_does_not_answer_in_time_is_said(monkeypatch, system, late):
    def away(*_):
        raise late

    monkeypatch.setattr(checking, "connected", away)
    done = CliRunner().invoke(app, ("verify",))

    assert done.exit_code == 2
    assert "did not answer in time" in done.output


def test_a_checkpoint_that_is_not_there_is_said(system, tmp_path):
    done = CliRunner().invoke(app, ("verify", "--checkpoint", str(tmp_path / "none")))

    assert done.exit_code == 2
    assert "checkpoint's file cannot be read" in done.output
