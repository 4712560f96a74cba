"""What is wrong with a rulebook is told with its line, before the rulebook holds."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from deploy.cli import app
from deploy.rulebook.document import Severity
from deploy.rulebook.lint import lint
from tests.examples_lint import (
    CALENDAR,
    CITED,
    DIRECTORY,
    ENDED,
    ENDS_LATER,
    LABEL,
    ON,
    SETTLED,
    SOUND,
    URGED,
    changed,
    escalating,
    findings,
    rule,
    write,
)

ROOT = Path(__file__).parents[2]
SAMPLE, PACKS = ROOT / "deploy" / "sample", ROOT / "deploy" / "packs"


@pytest.fixture
def found(tmp_path):
    def find(rulebook=SOUND, **more):
        return findings(tmp_path, rulebook, **more)

    return find


def test_a_sound_rulebook_has_no_findings(found):
    assert found() == []


COMPLAINTS = rule("late", method="same-level-then-up", kinds=["complaint"])
LETTERS = rule("letters", readable=False, forms=["signed-letter"])
LONG_KIND = {"code": "k3", "kind": "petition", "keywords": ["đơn tố cáo"], **CITED}

WRONG = {
    "never-in-force": changed(SOUND, "clocks", "+", to=SOUND["clocks"][1] | {"code": "x"} | ENDED),
    "no-citation": changed(SOUND, "clocks", 0, "citation", to=" "),
    "overlap": changed(SOUND, "clocks", "+", to=SOUND["clocks"][0]),
    "unknown-field": changed(SOUND, "clocks", 0, "effective_till", to=date(2027, 1, 1)),
    "broken-contract": changed(SOUND, "clocks", 0, "days", to=0),
    "longest-below-days": changed(SOUND, "clocks", 0, "longest", to=19),
    "warned-at-once": changed(SOUND, "clocks", 0, "warn_before", to=20),
    "never-stops": changed(SOUND, "clocks", 1, "stops", to="gone"),
    "stops-at-start": changed(SETTLED, "clocks", 2, "stops", to="accepted"),
    "unknown-clock": escalating(rule("urged", clock="gone")),
    "escalates-twice": escalating(URGED, rule("taken", clock="settle", takes_over=True)),
    "never-starts": changed(SOUND, "clocks", 1, "starts", to="gone"),
    "kind-without-answer-term": changed(SOUND, "clocks", 0, "stops", to="accepted"),
    "kind-without-clock": changed(SOUND, "clocks", to=[]),
    "kind-without-competence": changed(SOUND, "competence", to=SOUND["competence"][:1]),
    "unknown-category": changed(SOUND, "default_category", to="none"),
    "method-unused": changed(SOUND, "conflicts", to=SOUND["conflicts"][1:]),
    "refuses-everything": changed(SOUND, "eligibility", "+", to=rule("all")),
    "no-such-day": changed(SOUND, "periods", 0, "last_day", to="06-31"),
    "no-keywords": changed(SOUND, "categories", 1, "keywords", to=[]),
    "empty-keyword": changed(SOUND, "categories", 1, "keywords", "+", to="…"),
    "keyword-of-two": changed(SOUND, "categories", 1, "keywords", "+", to="VOI VINH"),
}


@pytest.mark.parametrize("problem", WRONG)
def test_what_is_wrong_is_found_as_what_it_is(found, problem):
    assert {finding.problem for finding in found(WRONG[problem])} == {problem}


FORESTALLED = {
    "competence": changed(SOUND, "competence", "+", to=COMPLAINTS),
    "eligibility": changed(SOUND, "eligibility", "+", to=LETTERS),
    "conflicts": changed(SOUND, "conflicts", "+", to=rule("again", method="recused")),
    "kinds": changed(SOUND, "kinds", "+", to=LONG_KIND),
}


@pytest.mark.parametrize("section", FORESTALLED)
def test_a_rule_that_an_earlier_one_always_forestalls_is_found(found, section):
    [finding] = found(FORESTALLED[section])

    assert (finding.problem, finding.severity) == ("never-fires", Severity.ERROR)


def test_several_earlier_rules_together_forestall_one(found):
    kinds = (["denunciation"], ["complaint"], ["petition"], ["reflection"])
    rules = [rule(f"c{n}", method="same-level-then-up", kinds=kind) for n, kind in enumerate(kinds)]

    [finding] = found(SOUND | {"competence": [*rules, SOUND["competence"][1]]})

    assert (finding.problem, finding.rule) == ("never-fires", "of-all")


def test_a_rule_that_takes_over_later_fires(found):
    early = rule("first", method="same-level-then-up", **ENDS_LATER)
    late = rule("second", method="same-level-then-up")

    assert found(SOUND | {"competence": [early, late]}) == []


def test_a_new_version_of_a_rule_is_no_overlap(found):
    clock = SOUND["clocks"][0]
    newer = clock | {"effective_from": date(2027, 1, 1)}

    assert found(SOUND | {"clocks": [clock | ENDS_LATER, newer, SOUND["clocks"][1]]}) == []


def test_clocks_of_one_code_may_stand_side_by_side_for_other_kinds(found):
    clock = SOUND["clocks"][0]
    halves = (["complaint", "denunciation"], ["petition", "reflection"])

    assert found(SOUND | {"clocks": [clock | {"kinds": kinds} for kinds in halves]}) == []


def test_a_gap_to_come_is_found_with_its_day(found):
    ends = rule("of-all", method="same-level-then-up", **ENDS_LATER)

    gaps = found(SOUND | {"competence": [ends]})

    assert {finding.problem for finding in gaps} == {"kind-without-competence"}
    assert all("2027-01-01" in finding.what for finding in gaps)


def test_a_category_that_nobody_is_competent_for_is_found(found):
    narrow = [{"unit": "province", "categories": ["ethics"]}]

    gaps = found(directory=changed(DIRECTORY, "bodies", 0, "jurisdictions", to=narrow))

    assert {(f.problem, f.rule, f.severity) for f in gaps} == {
        ("nobody-competent", "culture", Severity.ERROR)
    }


def test_a_unit_that_nobody_is_competent_for_is_a_warning(found):
    low = changed(DIRECTORY, "bodies", 0, "unit", to="ward")

    assert {(f.problem, f.severity) for f in found(directory=low)} == {
        ("nobody-competent", Severity.WARNING)
    }


def test_a_jurisdiction_for_a_category_that_is_none_is_found_in_the_directory(found):
    wrong = changed(
        DIRECTORY, "bodies", 0, "jurisdictions", "+", to={"unit": "ward", "categories": ["no"]}
    )

    [finding] = found(directory=wrong)

    assert (finding.problem, Path(finding.file).name) == ("unknown-category", "directory.yaml")


def test_a_term_that_runs_beyond_the_calendar_is_found(found):
    late = found(on=date(2026, 12, 20))

    assert {(f.problem, f.rule) for f in late} == {
        ("beyond-calendar", "answer"),
        ("beyond-calendar", "take-up"),
    }


def test_the_longest_extension_must_lie_within_the_calendar(found):
    longer = changed(SOUND, "clocks", 0, "longest", to=300)

    assert [finding.rule for finding in found(longer)] == ["answer"]


@pytest.mark.parametrize(
    ("problem", "calendar"),
    [
        ("swapped-in-vain", CALENDAR | {"swapped": [date(2026, 1, 9)]}),
        ("day-outside", CALENDAR | {"holidays": [{"day": date(2027, 1, 1), "name": LABEL}]}),
    ],
)
def test_a_day_without_effect_is_found_in_the_calendar(found, problem, calendar):
    [finding] = found(calendar=calendar)

    assert (finding.problem, Path(finding.file).name) == (problem, "calendar.yaml")


def test_a_finding_names_the_line_of_its_rule(tmp_path):
    text = yaml.dump(WRONG["longest-below-days"], allow_unicode=True, sort_keys=False)
    file = tmp_path / "rulebook.yaml"
    file.write_text(text, encoding="utf-8")

    [finding] = lint(file, ON)

    assert text.splitlines()[finding.line - 1] == "- code: answer"


def test_a_broken_field_is_told_with_its_line(tmp_path):
    text = yaml.dump(WRONG["broken-contract"], allow_unicode=True, sort_keys=False)
    file = tmp_path / "rulebook.yaml"
    file.write_text(text, encoding="utf-8")

    [finding] = lint(file, ON)

    assert text.splitlines()[finding.line - 1] == "  days: 0"


@pytest.mark.parametrize("text", ["a: [", "\x00", "- 1", "", "a: &a [*a]"])
def test_what_is_no_rulebook_is_told_on_its_line(tmp_path, text):
    file = tmp_path / "rulebook.yaml"
    file.write_text(text, encoding="utf-8")

    problems = {finding.problem for finding in lint(file, ON)}

    assert problems in ({"not-yaml"}, {"broken-contract"})


class TestCommand:
    def run(self, *arguments):
        return CliRunner().invoke(
            app, ["rulebook", "lint", "--on", "2026-03-10", *map(str, arguments)]
        )

    def test_errors_exit_1(self, tmp_path):
        wrong = write(tmp_path / "rulebook.yaml", WRONG["overlap"])

        assert self.run(wrong).exit_code == 1

    def test_warnings_exit_0(self, tmp_path):
        odd = write(tmp_path / "rulebook.yaml", WRONG["method-unused"])

        assert self.run(odd).exit_code == 0

    def test_each_finding_is_one_json_object(self, tmp_path):
        wrong = write(tmp_path / "rulebook.yaml", WRONG["overlap"])

        [line] = self.run("--json", wrong).stdout.splitlines()

        assert json.loads(line) | {"file": "", "what": "", "advice": ""} == {
            "file": "",
            "line": json.loads(line)["line"],
            "severity": "error",
            "problem": "overlap",
            "rule": "answer",
            "what": "",
            "advice": "",
        }

    @pytest.mark.parametrize("pack", [SAMPLE, *sorted(PACKS.iterdir())], ids=lambda p: p.name)
    def test_what_is_shipped_has_no_errors(self, pack):
        directory = pack / "directory.yaml"
        places = ["--directory", directory] if directory.exists() else []

        told = self.run(pack / "rulebook.yaml", "--calendar", pack / "calendar.yaml", *places)

        assert told.exit_code == 0, told.output
