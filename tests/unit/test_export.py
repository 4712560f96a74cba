"""Reports as files in a folder."""

import csv
import io

import pytest

from deploy.export import export
from services.reporting.rendering import Format, Language, render
from tests.examples_rendering import public, report, second


def test_each_report_is_a_file_of_each_format(tmp_path):
    reports = [report(), second(), public(), report("s-124")]

    count = export(reports, tmp_path / "new", list(Format), Language.ENGLISH)

    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert count == 4
    assert len(names) == 20
    assert "01-xld.tinh.2026-h1.r1.public.en.pdf" in names


def test_a_table_for_programs_has_codes_a_row_for_each_unit_and_the_total(tmp_path):
    of = report()

    export([of], tmp_path, [Format.CSV], Language.VIETNAMESE)

    text = (tmp_path / "01-xld.tinh.2026-h1.r1.csv").read_text("utf-8-sig")
    header, *lines = csv.reader(io.StringIO(text))
    assert header == ["unit", "name", *(column.code for column in of.columns)]
    assert [line[0] for line in lines] == [*(row.unit for row in of.rows), "total"]
    assert lines[-1][2:] == [str(figure) for figure in of.totals]


@pytest.mark.parametrize("format_", [Format.HTML, Format.PDF])
def test_charts_look_back_at_the_same_unit(tmp_path, format_):
    before = [report(year=2025), report(year=2025, unit="so-y-te")]

    export([report()], tmp_path, [format_], Language.VIETNAMESE, before)

    [written] = tmp_path.iterdir()
    assert written.read_bytes() == render(report(), format_, others=before[:1])[0]
