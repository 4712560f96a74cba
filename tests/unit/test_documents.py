"""The pages that agencies and operators read say what the code does."""

import re

import pytest

from deploy.items import read_mapping
from services.intake.app import Settings as IntakeSettings
from services.intake.sources.arriving_mail import LARGEST_MAIL
from services.intake.sources.http import events, form, multipart, webhook
from services.reporting.app import Settings as ReportingSettings
from services.routing.app import Settings as RoutingSettings
from shared.contracts import FEED
from shared.contracts.ingress import Enclosure, Fate, Reporter, StatedConcern
from shared.runtime.http.body import MEGABYTE
from shared.runtime.http.cloudevents import BATCH_MEDIA_TYPE, MEDIA_TYPE
from shared.runtime.refusal import ADVICE
from shared.runtime.streams import QUOTA_PER_SUBJECT
from tests.documents import ROOT, SAMPLES, anchor, block, pages, prose, section

MOST_LINES = 20
PRIVACY = ROOT / "docs" / "privacy.md"
SETTINGS = (IntakeSettings, RoutingSettings, ReportingSettings)


class TestSamples:
    @pytest.mark.parametrize("name", ["feed_client.py", "seal.py"])
    def test_a_sample_is_the_file_beside_it(self, name):
        assert block(name) == (SAMPLES / name).read_text(encoding="utf-8")

    def test_the_client_has_twenty_lines_at_most(self):
        lines = [line for line in block("feed_client.py").splitlines() if line.strip()]

        assert len([line for line in lines if not line.startswith("#")]) <= MOST_LINES

    def test_every_sample_mapping_is_read(self):
        found = sorted((ROOT / "deploy" / "sample" / "mapping").glob("*.yaml"))

        assert len([read_mapping(path) for path in found]) == 3


class TestContracts:
    @pytest.mark.parametrize("type_", FEED)
    def test_the_table_of_a_type_has_its_fields(self, type_):
        cells = re.findall(r"^\|([^|\n]*)\|", section(type_), re.MULTILINE)
        fields = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

        assert fields == set(FEED[type_].model_fields)

    @pytest.mark.parametrize("type_", FEED)
    def test_what_must_be_there_is_bold(self, type_):
        bold = set(re.findall(r"\*\*`(\w+)`\*\*", section(type_)))

        assert bold == {n for n, f in FEED[type_].model_fields.items() if f.is_required()}

    @pytest.mark.parametrize("shape", [Reporter, StatedConcern, Enclosure])
    def test_every_field_of_a_part_is_named(self, shape):
        shared = section("What several types share") + section("Files in events")

        assert all(f'"{name}"' in shared for name in shape.model_fields)

    @pytest.mark.parametrize("fate", Fate)
    def test_every_fate_is_explained(self, fate):
        assert f"| `{fate}` |" in section("Over NATS")

    @pytest.mark.parametrize("rule", ADVICE)
    def test_every_rule_that_is_advised_on_is_explained(self, rule):
        assert f"`{rule}`" in section("What was refused, and what to do")


class TestLimits:
    @pytest.mark.parametrize(
        "limit",
        [
            f"{QUOTA_PER_SUBJECT:,} events",
            f"{events.MOST_BYTES // MEGABYTE} MiB, {form.MOST_MULTIPART_BYTES // MEGABYTE} MiB as",
            f"| {events.MOST_EVENTS} events |",
            f"{multipart.MOST_FILES}, of {multipart.MOST_FILE_BYTES // MEGABYTE} MiB each",
            f"{multipart.MOST_FILES_BYTES // MEGABYTE} MiB together",
            f"{multipart.MOST_PARTS} parts",
            f"| {webhook.MOST_RECORDS:,} |",
            f"| {LARGEST_MAIL // MEGABYTE} MiB;",
        ],
    )
    def test_each_is_that_of_the_code(self, limit):
        assert limit in section("Limits")

    @pytest.mark.parametrize("kind", [MEDIA_TYPE, BATCH_MEDIA_TYPE])
    def test_every_content_mode_is_named(self, kind):
        assert f"`{kind}`" in section("Over HTTP")


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda found: found.__module__)
def test_every_setting_is_in_the_readme(settings):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [n for n in settings.model_fields if f"| `LANGNGHE_{n.upper()}` |" not in readme] == []


class TestLinks:
    @pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
    def test_one_to_a_file_leads_there(self, page):
        targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", prose(page))

        assert [t for t in targets if not (page.parent / t).exists()] == []

    @pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
    def test_one_within_a_page_leads_to_a_heading(self, page):
        text = prose(page)
        headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}

        assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings

    def test_a_test_that_proves_something_exists(self):
        """`file.py::name` in the page on privacy."""
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PRIVACY.read_text(encoding="utf-8"))

        assert named
        for file, name in named:
            source = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"(?:def|class) {name}\b", source), f"{file}::{name}"
