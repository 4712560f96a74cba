"""What nobody has compared with its source is said: by a mark in a comment, or by the citation."""

from pathlib import Path

import pytest

from deploy.rulebook.document import Severity
from deploy.rulebook.lint import lint
from tests.examples_lint import CALENDAR, ON, SOUND, changed, findings, write

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted([*DEPLOY.glob("packs/*/rulebook.yaml"), DEPLOY / "sample" / "rulebook.yaml"])
LEGEND = "[?]  no source at hand"


def unverified(file: Path) -> list[tuple[int, str]]:
    calendar = file.with_name("calendar.yaml")
    found = lint(file, ON, calendar=calendar if calendar.exists() else None)
    return [
        (int(f.what.split("line ")[1].split()[0]), Path(f.file).name)
        for f in found
        if f.problem == "unverified"
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_mark_in_what_is_shipped_is_told_once(file):
    marked = [
        (number, each.name)
        for each in (file.with_name("calendar.yaml"), file)
        for number, line in enumerate(each.read_text("utf-8").splitlines(), 1)
        if "[?]" in line and LEGEND not in line
    ]

    assert sorted(unverified(file)) == sorted(marked)


def marked(tmp_path, before: str, comment: str):
    """The one finding once the comment stands above the line that begins so."""
    file = write(tmp_path / "rulebook.yaml", SOUND)
    lines = file.read_text("utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(before))
    file.write_text("\n".join([*lines[:place], comment, *lines[place:]]) + "\n", "utf-8")
    return [f for f in lint(file, ON) if f.problem == "unverified"], place + 2


@pytest.mark.parametrize(
    "comment", ["# The article is [?].", "    # [?]: from memory", "# [?]\n# as the rule before"]
)
def test_a_mark_is_told_of_the_rule_below_it(tmp_path, comment):
    [finding], line = marked(tmp_path, "- code: answer", comment)

    assert (finding.rule, finding.severity) == ("answer", Severity.WARNING)
    assert finding.line == line + comment.count("\n")


def test_a_mark_above_a_section_is_told_of_the_section(tmp_path):
    [finding], line = marked(tmp_path, "clocks:", "# All of them [?]")

    assert (finding.rule, finding.line) == ("", line)


def test_what_the_mark_means_is_no_mark(tmp_path):
    assert marked(tmp_path, "clocks:", "#   [?]  no source at hand: unverified")[0] == []


@pytest.mark.parametrize(
    ("line", "told"), [("days: 20  # [?]", True), ('label: {vi: "Trả # [?] lời"}', False)]
)
def test_a_mark_behind_a_value_is_told_and_one_within_a_text_is_not(tmp_path, line, told):
    file = write(tmp_path / "rulebook.yaml", SOUND)
    text = file.read_text("utf-8")
    number = next(n for n, row in enumerate(text.splitlines()) if row.startswith("- code: answer"))
    rows = text.splitlines()
    key = line.split(":")[0]
    at = next(n for n in range(number, len(rows)) if rows[n].strip().startswith(f"{key}:"))
    until = next(
        n for n in range(at + 1, len(rows)) if not rows[n].startswith("    ")
    )  # a mapping of several lines goes
    rows[at:until] = [f"  {line}"]
    file.write_text("\n".join(rows) + "\n", "utf-8")

    found = [f.rule for f in lint(file, ON) if f.problem == "unverified"]

    assert found == (["answer"] if told else [])


@pytest.mark.parametrize("citation", ["Luật Tố cáo 2018 [?]", "Quyết định (cần bổ sung số, ngày)"])
def test_a_citation_that_wants_something_is_told_on_its_line(tmp_path, citation):
    [finding] = findings(tmp_path, changed(SOUND, "clocks", 0, "citation", to=citation))

    assert (finding.problem, finding.severity) == ("citation-incomplete", Severity.WARNING)
    line = (tmp_path / "rulebook.yaml").read_text("utf-8").splitlines()[finding.line - 1]
    assert "citation:" in line


def test_a_calendar_that_was_only_proposed_is_told_too(tmp_path):
    wanting = CALENDAR | {"citation": "(cần bổ sung thông báo nghỉ lễ, Tết năm 2027)"}

    [finding] = findings(tmp_path, SOUND, calendar=wanting)

    assert (finding.problem, Path(finding.file).name) == ("citation-incomplete", "calendar.yaml")
