"""Proposals of holidays: a difference that a person reads, and a file that passes validation."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.calendar import NothingProposed, compared, merged, proposed, written
from deploy.calendar.comparing import as_calendar, days_of
from deploy.cli import app
from deploy.rules import RULE_FILES, read_rules
from services.routing.domain.calendar import WorkingDays
from shared.contracts.rulebook import Calendar, Holiday
from tests.examples_routing import calendar, label
from tests.unit.test_routing_calendar_tet import lunar, needs_holidays, snapshot

DEPLOY = Path(__file__).parents[2] / "deploy"
SAMPLE = DEPLOY / "sample" / "calendar.yaml"
PACK = DEPLOY / "packs" / "viet-nam" / "calendar.yaml"
TET = [
    "2010-02-14",
    "2011-02-03",
    "2012-01-23",
    "2013-02-10",
    "2014-01-31",
    "2015-02-19",
    "2016-02-08",
    "2017-01-28",
    "2018-02-16",
    "2019-02-05",
    "2020-01-25",
    "2021-02-12",
    "2022-02-01",
    "2023-01-22",
    "2024-02-10",
    "2025-01-29",
    "2026-02-17",
    "2027-02-06",
    "2028-01-26",
    "2029-02-13",
    "2030-02-02",
]
"""The first day of each Tết; that of 2030 is a day before the Chinese one."""


def read(file: Path) -> Calendar:
    content = read_rules(file, RULE_FILES["calendar"])
    assert isinstance(content, Calendar)
    return content


def days(found) -> list[str]:
    return [each.day.isoformat() for each in found]


def propose(*arguments: object):
    return CliRunner().invoke(app, ["calendar", "propose", *map(str, arguments)])


def told(*arguments: object) -> dict:
    result = propose(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class TestTet:
    @pytest.mark.parametrize("first", TET)
    def test_every_tet_from_2010_to_2030_is_proposed(self, first):
        day = date.fromisoformat(first)
        proposal = proposed(day.year)

        assert "Tết Nguyên Đán" in proposal.holidays[day].vi
        working = WorkingDays(merged(proposal, None))
        assert not any(working.is_working(date.fromordinal(day.toordinal() + n)) for n in range(3))

    @needs_holidays
    def test_others_calculate_the_same(self):
        others = {year: day for year, day in lunar().items() if year >= 2010}

        assert {y: d.isoformat() for y, d in others.items()} == {int(t[:4]): t for t in TET[:17]}
        known = {day.isoformat() for day, name in snapshot().items() if name == "Lunar New Year"}
        assert set(TET) <= known


class TestRealYears:
    @pytest.mark.parametrize("file", [SAMPLE, PACK])
    def test_2025_is_as_the_calendars_have_it_with_its_swap(self, file):
        """Saturday 26/04/2025 was worked for Friday 02/05/2025."""
        difference = compared(proposed(2025), read(file))

        assert (difference.added, difference.missing, difference.disagree) == ((), (), ())
        assert date(2025, 4, 26) in proposed(2025).swapped
        assert date(2025, 5, 2) in proposed(2025).holidays

    @pytest.mark.parametrize("file", [SAMPLE, PACK])
    def test_the_package_does_not_know_the_swap_at_new_year_2026(self, file):
        difference = compared(proposed(2026), read(file))

        assert days(difference.missing) == ["2026-01-02"]
        assert "2026-01-10" in days(difference.disagree)
        assert "2026-01-01" not in days((*difference.added, *difference.missing))

    def test_without_its_swap_2025_is_told_day_by_day(self):
        table = read(SAMPLE)
        listed = tuple(h for h in table.holidays if h.day != date(2025, 5, 2))
        difference = compared(proposed(2025), table.model_copy(update={"holidays": listed}))
        assert days(difference.added) == ["2025-05-02"]

        unswapped = compared(proposed(2025), table.model_copy(update={"swapped": ()}))
        assert days(unswapped.disagree) == ["2025-04-26"]
        assert not unswapped.disagree[0].worked

    def test_of_a_year_that_the_calendar_lacks_all_is_added(self):
        difference = compared(proposed(2027), read(SAMPLE))

        assert not difference.covered
        assert "2027-02-08" in days(difference.added)
        assert "2027-02-06" not in days(difference.added)  # a Saturday, which is off anyway
        assert difference.missing == ()


YEAR = st.sampled_from([2025, 2026])
IN_2025 = st.dates(date(2025, 1, 1), date(2025, 12, 31))


@given(YEAR, st.sets(IN_2025, max_size=6), st.sets(IN_2025, max_size=6), st.sets(st.integers(1, 7)))
def test_each_day_that_differs_is_told_once(year, off, swapped, rest):
    table = calendar(
        holidays=tuple(Holiday(day=day, name=label("Nghỉ")) for day in sorted(off)),
        swapped=tuple(sorted(swapped)),
        weekly_rest=tuple(sorted(rest - {3})),
    )
    proposal = proposed(year)
    difference = compared(proposal, table)

    told_of = days((*difference.added, *difference.missing, *difference.disagree))
    theirs = WorkingDays(as_calendar(proposal, table.weekly_rest))
    ours = WorkingDays(table)
    differing = [d for d in days_of(year) if ours.is_working(d) != theirs.is_working(d)]
    assert sorted(told_of) == [day.isoformat() for day in differing]


class TestFile:
    @pytest.mark.parametrize("year", range(2010, 2031))
    def test_it_passes_validation_and_says_the_same(self, tmp_path, year):
        file, proposal = tmp_path / "calendar.yaml", proposed(year)
        whole = merged(proposal, None)
        file.write_text(written(whole, proposal, None), "utf-8")

        assert read(file) == whole
        left = compared(proposal, read(file))
        assert (left.added, left.missing, left.disagree) == ((), (), ())

    def test_a_further_year_keeps_every_day_that_was_decreed(self, tmp_path):
        out, table = tmp_path / "next.yaml", read(SAMPLE)

        assert told(2027, "--calendar", SAMPLE, "--out", out)["out"] == str(out)

        whole = read(out)
        assert (whole.first_year, whole.last_year) == (2025, 2027)
        assert (whole.title.vi, whole.title.en) == (
            "Lịch làm việc 2025–2027",
            "Working days 2025–2027",
        )
        assert set(table.holidays) <= set(whole.holidays)
        assert set(table.swapped) <= set(whole.swapped)
        text = out.read_text("utf-8")
        assert text.count("# đề xuất / proposed") == len(whole.holidays) - len(table.holidays)
        assert "hoán đổi" in text
        assert "no package knows them" in text

    def test_of_a_year_that_is_there_only_what_lacks_is_added(self):
        table = read(SAMPLE)
        whole = merged(proposed(2026), table)

        assert {h.day.isoformat() for h in set(whole.holidays) - set(table.holidays)} == set(
            days(compared(proposed(2026), table).added)
        )
        assert date(2026, 1, 2) in {holiday.day for holiday in whole.holidays}

    def test_a_file_that_is_there_is_never_written_over(self, tmp_path):
        out = tmp_path / "edited.yaml"
        out.write_text("edited")

        result = propose(2027, "--calendar", SAMPLE, "--out", out)

        assert result.exit_code == 1
        assert "is there already" in result.output.replace("\n", "")
        assert out.read_text() == "edited"

    def test_no_year_in_between_is_passed_over(self, tmp_path):
        result = propose(2030, "--calendar", SAMPLE, "--out", tmp_path / "later.yaml")

        assert result.exit_code == 1
        assert "propose 2027 before 2030" in result.output
        assert not (tmp_path / "later.yaml").exists()

    def test_what_an_operator_wrote_in_a_title_is_kept_as_text(self, tmp_path):
        table = read(SAMPLE).model_copy(update={"title": label('a: "b" # {c}'), "citation": "'"})
        file, proposal = tmp_path / "calendar.yaml", proposed(2027)
        whole = merged(proposal, table)
        file.write_text(written(whole, proposal, table), "utf-8")

        assert read(file) == whole


class TestCommand:
    def test_it_speaks_both_languages_and_says_that_a_person_has_to_look(self):
        output = propose(2026, "--calendar", SAMPLE).stdout

        assert "Ngày nghỉ có trong lịch mà đề xuất không có / Days off in the calendar" in output
        assert "2026-01-02 (thứ Sáu / Friday): Nghỉ hoán đổi / Day off in exchange" in output
        assert "lịch: làm việc; đề xuất: nghỉ / calendar: worked; proposal: rest" in output
        assert "hằng năm, không thư viện nào biết trước" in output
        assert "Nothing was published." in output

    def test_json_is_one_object(self):
        answer = told(2026, "--calendar", SAMPLE)

        assert (answer["proposed"], answer["country"], answer["covered"]) == (2026, "VN", True)
        assert [day["day"] for day in answer["missing"]] == ["2026-01-02"]
        assert answer["missing"][0]["calendar"]["vi"] == "Nghỉ hoán đổi"

    @pytest.mark.parametrize("country", ["XX", "", "VNM", "V1", "việt nam", "../etc", "vn\x1b[2J"])
    def test_a_country_that_nobody_knows_is_a_sentence(self, country):
        result = propose(2026, "--country", country, "--calendar", SAMPLE)

        assert result.exit_code == 1
        assert "give one of two letters (ISO 3166)" in result.output.replace("\n", " ")
        assert "Traceback" not in result.output
        assert "\x1b[2J" not in result.output

    @pytest.mark.parametrize("year", [1, 1900, 2101, 10**9])
    def test_a_year_that_nobody_knows_is_a_sentence(self, year):
        result = propose(year, "--calendar", SAMPLE)

        assert result.exit_code == 1
        assert "VN from 1901 to 2100" in result.output

    def test_without_a_calendar_it_says_how_to_name_one(self, tmp_path):
        result = propose(2026, "--state", tmp_path)

        assert result.exit_code == 1
        assert "--calendar" in result.output

    def test_another_country_has_its_own_names_and_week(self):
        proposal = proposed(2026, "il")

        assert proposal.country == "IL"
        assert proposal.weekly_rest == (5, 6)

    def test_an_american_date_in_a_name_is_rewritten(self):
        day_off = proposed(2024).holidays[date(2024, 4, 29)]

        assert day_off.en == "Day off (substituted from 2024-05-04)"

    def test_nothing_known_is_said(self):
        with pytest.raises(NothingProposed, match="1901 to 2100"):
            proposed(2300)
