"""`langnghe report attack` over exported files."""

import json

import pytest
from typer.testing import CliRunner

from deploy.attack import whole
from deploy.cli import app
from services.reporting.domain.disclosure import Knowledge, protect
from shared.contracts.report import Edition
from tests.examples_disclosure import closing
from tests.examples_reporting import FORMS

INTERNAL = closing(3, 2, 6, 60)


def write(folder, reports):
    for report in reports:
        name = f"{report.form}.{report.unit}.{report.edition}.r{report.revision}.json"
        (folder / name).write_text(report.model_dump_json())
    return str(folder)


def run(*words):
    return CliRunner().invoke(app, ["report", "attack", *words])


def test_a_protected_edition_gives_nothing_away(tmp_path):
    public = protect(INTERNAL, 10, Knowledge.of(FORMS)).reports

    assert run(write(tmp_path, public)).exit_code == 0


def test_what_can_be_worked_out_is_told(tmp_path):
    ended = run(write(tmp_path, INTERNAL), "--threshold", "10", "--json")

    assert ended.exit_code == 1
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {each["how"] for each in told} >= {"shown"}


@pytest.mark.parametrize("content", ["{}", "no json"])
def test_a_file_that_is_no_report_is_named(tmp_path, content):
    (tmp_path / "other.json").write_text(content)

    ended = run(str(tmp_path))

    assert ended.exit_code == 2
    assert "other.json" in ended.output.replace("\n", "")


def test_reports_without_a_threshold_ask_for_one(tmp_path):
    assert run(write(tmp_path, INTERNAL)).exit_code == 2


def test_what_was_not_revised_stands_on():
    first = [r.model_copy(update={"covers": 5, "edition": Edition.PUBLIC}) for r in INTERNAL[:3]]
    second = first[1].model_copy(update={"covers": 9, "revision": 2})

    issues = whole([*first, second])

    assert [(r.unit, r.revision) for r in issues] == [
        *((r.unit, 1) for r in first),
        *((r.unit, 2) for r in first),
    ]
