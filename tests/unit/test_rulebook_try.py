"""A rulebook is tried on single submissions without a running system, by the services' functions."""

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.items import Reader
from deploy.rulebook.submissions import submissions
from deploy.rulebook.trial import Trial, in_words
from deploy.rules import RULE_FILES, read_rules

ROOT = Path(__file__).parents[2]
SAMPLE, PACKS = ROOT / "deploy" / "sample", ROOT / "deploy" / "packs"
RURITANIA, VIET_NAM = PACKS / "ruritania", PACKS / "viet-nam"
NOW = datetime(2026, 4, 1, tzinfo=UTC)
WEDNESDAY = "2026-03-11T10:00:00+01:00"


def read(folder, noun):
    return read_rules(folder / f"{noun}.yaml", RULE_FILES[noun])


def trial(rules, places=None, zone="Europe/Vienna", calendar=True):
    return Trial(
        read(rules, "rulebook"),
        read(places or rules, "directory"),
        read(rules, "calendar") if calendar else None,
        ZoneInfo(zone),
    )


@pytest.fixture
def decide(tmp_path):
    def one(content, by=None):
        file = tmp_path / "tried.jsonl"
        line = content if isinstance(content, str) else json.dumps(content)
        file.write_text(line, encoding="utf-8")
        [row] = (by or trial(RURITANIA)).rows(submissions(file, Reader((), None, NOW)), NOW)
        return row

    return one


def plain(text="The bridge is rotten", **more):
    return {"text": text, "agency": "a-bridge-house", "received": WEDNESDAY, **more}


def due(row):
    return {clock["clock"]: clock["due"].isoformat() for clock in row["clocks"]}


class TestAnotherCountry:
    def test_its_own_words_tell_the_kind(self, decide):
        row = decide(plain("I charge the Toll Master", signatures=1))

        assert (row["kind"], row["decided_by"][0]) == ("denunciation", "charge")

    def test_its_own_bodies_lead(self, decide):
        assert decide(plain())["lead"] == "bridge-jury"

    def test_a_body_two_levels_up_leads_where_none_is_nearer(self, decide):
        row = decide(plain("A rude clerk"))

        assert (row["lead"], row["basis"]) == ("march-bench", "higher-level")

    def test_nobody_sits_over_himself(self, decide):
        row = decide(plain("The Reeve is rude", concerns={"office": "reeve"}))

        assert (row["lead"], row["basis"]) == ("high-bench", "conflict")
        assert [exclusion["body"] for exclusion in row["excluded"]] == ["march-bench"]

    def test_its_own_week_is_counted(self, decide):
        # Thursday 12, Saturday 14 swapped, Sunday 15; Friday is its day of rest.
        assert due(decide(plain())) == {"reply": "2026-03-15"}

    def test_its_own_holiday_is_no_working_day(self, decide):
        # Received on Thursday: Saturday 14, Sunday 15, Tuesday 17; Monday is Coronation Day.
        row = decide(plain(received="2026-03-12T10:00:00+01:00"))

        assert due(row) == {"reply": "2026-03-17"}

    def test_its_own_terms_run_on_its_own_kinds(self, decide):
        row = decide(plain("I charge the Toll Master", signatures=1))

        assert due(row) == {"reply": "2026-03-15", "charge-heard": "2026-03-13"}

    def test_its_own_grounds_refuse(self, decide):
        row = decide(plain("I charge the Toll Master"))

        assert (row["eligibility"], row["eligibility_citation"]) == ("unsigned-charge", "Codex, 20")
        assert row["clocks"] == []

    def test_its_own_midnight_begins_a_day(self, decide):
        # One in the morning there is still the evening before in UTC.
        row = decide(plain(received="2026-03-12T00:30:00+01:00"))

        assert due(row) == {"reply": "2026-03-17"}

    def test_without_a_calendar_no_day_is_covered(self, decide):
        row = decide(plain(), trial(RURITANIA, calendar=False))

        assert [clock["covered"] for clock in row["clocks"]] == [False]


class TestVietNam:
    """The pack, with the units of the sample."""

    @pytest.fixture
    def viet_nam(self):
        return trial(VIET_NAM, SAMPLE, "Asia/Ho_Chi_Minh")

    def sent(self, text, **more):
        received = "2026-03-10T09:00:00+07:00"
        return {"text": text, "agency": "a-so-xay-dung", "received": received, **more}

    def test_a_reflection_is_answered_within_20_working_days(self, decide, viet_nam):
        row = decide(self.sent("Tôi phản ánh cán bộ có thái độ hách dịch"), viet_nam)

        assert (row["kind"], row["category"]) == ("reflection", "office-culture")
        assert due(row) == {"reg124-answer": "2026-04-07", "take-up": "2026-03-24"}

    def test_a_denunciation_is_checked_within_7_working_days(self, decide, viet_nam):
        row = decide(self.sent("Đơn tố cáo", channel="letter", signatures=1), viet_nam)

        assert due(row)["denunciation-check"] == "2026-03-19"

    def test_a_complaint_is_accepted_within_10_days(self, decide, viet_nam):
        row = decide(self.sent("Tôi khiếu nại"), viet_nam)

        assert due(row)["complaint-accept"] == "2026-03-20"

    def test_a_call_that_denounces_nobody_is_kept_as_information(self, decide, viet_nam):
        row = decide(self.sent("Tố cáo", channel="hotline", signatures=1), viet_nam)

        assert row["eligibility"] == "stored-information"

    def test_a_call_that_denounces_an_office_is_taken_up(self, decide, viet_nam):
        row = decide(self.sent("Tố cáo Giám đốc Sở Xây dựng", channel="hotline"), viet_nam)

        assert row["eligibility"] == "eligible"

    def test_the_days_swapped_for_2_may_2025_are_counted(self, decide, viet_nam):
        # From 23 April: 24, 25, Saturday 26 worked, 28, 29; 30 April, 1 and 2 May off; 5 … 9 May.
        received = "2025-04-23T09:00:00+07:00"

        row = decide(self.sent("Phản ánh") | {"received": received}, viet_nam)

        assert due(row)["take-up"] == "2025-05-09"


class TestLines:
    CHANNELS = ("hotline", "mailbox", "web-form", "letter", "paper-box")

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_a_plain_object_may_come_through_any_channel(self, decide, channel):
        row = decide(plain("I charge", channel=channel, signatures=1))

        assert (row["fate"], row["kind"], row["eligibility"]) == (
            "kept",
            "denunciation",
            "eligible",
        )

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_a_plain_object_without_signatures_is_anonymous(self, decide, channel):
        assert decide(plain("I charge", channel=channel))["eligibility"] == "unsigned-charge"

    def test_what_the_sender_stated_goes_before_words(self, decide):
        row = decide(plain("I charge", kind="petition", category="bridges"))

        assert (row["kind"], row["category"]) == ("petition", "bridges")

    def test_an_event_of_the_feed_is_decided(self, decide):
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "/agencies/a-bridge-house",
            "type": "hotline-call.logged.v1",
            "time": WEDNESDAY,
            "data": {"call": "1", "note": "A rude clerk"},
        }

        assert decide(event)["category"] == "manners"

    def test_a_mail_is_decided_as_the_feed_reads_it(self, tmp_path):
        mail = EmailMessage()
        mail["From"], mail["Subject"] = "A <a@example>", "A rude clerk"
        mail["Date"] = "Wed, 11 Mar 2026 10:00:00 +0100"
        (tmp_path / "1.eml").write_bytes(mail.as_bytes())
        reader = Reader(["a-bridge-house"], "a-bridge-house", NOW)

        [row] = trial(RURITANIA).rows(submissions(tmp_path / "1.eml", reader), NOW)

        assert (row["category"], due(row)) == ("manners", {"reply": "2026-03-15"})

    @pytest.mark.parametrize(
        ("line", "rule"),
        [
            ("{", "json_invalid"),
            ("[]", "json_type"),
            (json.dumps(plain(colour="red")), "extra_forbidden"),
            (json.dumps(plain(received="2026-03-11T10:00:00")), "timezone_aware"),
            (json.dumps(plain(agency="a-nobody")), "unknown-agency"),
            (json.dumps({"specversion": "1.0"}), "unknown-agency"),
            (json.dumps({"specversion": "1.0", "source": "/agencies/a"}), "unknown-type"),
        ],
    )
    def test_a_line_that_cannot_be_read_is_refused_with_its_rule(self, decide, line, rule):
        row = decide(line)

        assert row["fate"] == "refused"
        assert [problem["rule"] for problem in row["problems"]] == [rule]

    def test_a_receipt_to_come_is_decided_as_on_its_day(self, decide):
        row = decide(plain(received="2026-06-03T10:00:00+02:00"))

        assert due(row) == {"reply": "2026-06-08"}

    def test_nothing_that_was_said_is_told_again(self, decide):
        row = decide(plain("I charge X-CANARY, a private person", signatures=1))

        assert "CANARY" not in json.dumps(row, default=str) + in_words(row)


class TestCommand:
    def run(self, tmp_path, *lines):
        file = tmp_path / "tried.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        options = [
            *("--rulebook", str(RURITANIA / "rulebook.yaml")),
            *("--directory", str(RURITANIA / "directory.yaml")),
            *("--calendar", str(RURITANIA / "calendar.yaml")),
            *("--timezone", "Europe/Vienna", "--json"),
        ]
        return CliRunner().invoke(app, ["rulebook", "try", *options, str(file)])

    def test_each_submission_is_one_json_object(self, tmp_path):
        told = self.run(tmp_path, plain(), plain())

        assert told.exit_code == 0
        assert [json.loads(line)["lead"] for line in told.stdout.splitlines()] == [
            "bridge-jury"
        ] * 2

    def test_a_refused_line_exits_1_after_the_others(self, tmp_path):
        told = self.run(tmp_path, {"text": ""}, plain())

        assert told.exit_code == 1
        assert [json.loads(line)["fate"] for line in told.stdout.splitlines()] == [
            "refused",
            "kept",
        ]
