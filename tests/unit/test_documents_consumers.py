"""The page for readers of reports says what the code does."""

import re
from datetime import UTC, datetime

import pytest

from deploy import webhooks
from deploy.access.permissions import PUBLIC_REPORTS, reader, reader_durable
from deploy.asyncapi.topics import topics
from services.reporting.app import Settings
from services.reporting.push import DELAYS, PAUSE_AFTER
from services.reporting.push.reach import IN_ALL_SECONDS
from services.reporting.push.signing import signed
from shared.contracts import ReportPublished
from shared.contracts.envelope import MEDIA_TYPE
from shared.contracts.report import Change
from tests.documents import ROOT, SAMPLES, section

PAGE = ROOT / "docs" / "consumers.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_field_of_a_report_is_explained():
    rows = re.findall(r"^\| (`.*?`) \|", section("The report", PAGE), re.MULTILINE)

    assert {n for row in rows for n in re.findall(r"`(\w+)`", row)} == set(
        ReportPublished.model_fields
    )


@pytest.mark.parametrize("name", Change.model_fields)
def test_every_field_of_a_change_is_explained(name):
    assert f"`{name}`" in section("Revisions", PAGE)


def test_the_subjects_are_those_of_the_contract():
    told = set(re.findall(r"`(report\.[^`]*\{[^`]*)`", section("Subjects", PAGE)))

    assert told == {t.address for t in topics() if t.contract is ReportPublished}


def test_what_a_reader_is_given_is_what_the_server_gives():
    assert f"A reader is given all of `{PUBLIC_REPORTS}`" in TEXT
    durable = reader_durable("bao-moi")
    assert f"`{durable.name}` of the stream `{durable.stream}`" in TEXT
    assert f"`{reader('bao-moi').inbox}`" in TEXT


def test_type_and_kind_of_content_are_those_of_the_code():
    assert f"`{ReportPublished.TYPE}`" in TEXT
    assert f"`{MEDIA_TYPE}`" in TEXT


@pytest.mark.parametrize(
    "name", ["report_consumer.py", "report_consumer.mjs", "webhook_receiver.py"]
)
def test_every_sample_is_there_and_named(name):
    assert (SAMPLES / name).is_file()
    assert f"samples/{name})" in TEXT


def test_what_is_said_of_webhooks_is_so():
    said = section("Webhooks", PAGE)

    assert DELAYS == (5, 30, 120, 600, 3600)
    assert "after 5 seconds, 30 seconds, 2 minutes, 10 minutes, and then every hour" in said
    assert Settings.model_fields["webhooks_pause_after_days"].default == PAUSE_AFTER.days == 5
    assert "takes nothing for five days" in said
    assert f"longer than {IN_ALL_SECONDS:.0f} seconds" in said
    assert f"`{webhooks.TRIAL}` is the type" in said


def test_every_header_of_a_webhook_is_explained():
    sent = dict(signed([b"x"], "id", datetime.fromtimestamp(0, UTC), b""))

    said = section("Webhooks", PAGE)
    assert [n for n in sent if n.startswith("webhook-") and f"| `{n}` |" not in said] == []
