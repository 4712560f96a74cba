"""Charts say what the table says, to those who cannot see them too, and nothing that it hides."""

import re

import pytest

from services.reporting.rendering import Format, Language, render
from services.reporting.rendering.charts import CHOICES, charts_of
from tests.examples_rendering import public, report
from tests.readers_rendering import read_html

VI = Language.VIETNAMESE
YEARS = (2023, 2024, 2025)


def told(charts) -> list[str]:
    return [re.search(r"<desc[^>]*>(.*?)</desc>", chart)[1] for chart in charts]


def written(chart) -> set[int]:
    texts = re.findall(r"<text[^>]*>([\d.]+)</text>", chart)
    return {int(text.replace(".", "")) for text in texts}


def totals(of, codes) -> list[int | None]:
    figures = dict(zip((column.code for column in of.columns), of.totals, strict=True))
    return [figures[code] for code in codes]


@pytest.mark.parametrize("form", CHOICES)
class TestCharts:
    def test_show_the_parts_of_a_report_by_itself(self, form):
        of = report(form)

        [chart] = charts_of(of, [], VI)

        assert written(chart) == set(totals(of, CHOICES[form].parts))

    def test_compare_with_the_same_period_of_the_year_before(self, form):
        of, before = report(form), report(form, 2025)

        _, chart = charts_of(of, [before, report(form, 2020)][:1], VI)

        parts = CHOICES[form].parts
        assert written(chart) == {*totals(of, parts), *totals(before, parts)}

    def test_show_a_trend_from_three_periods_on(self, form):
        line = [report(form, year) for year in YEARS]

        charts = charts_of(report(form), line, VI)

        expected = {f for of in (*line, report(form)) for f in totals(of, CHOICES[form].trend)}
        assert expected <= written(charts[2])
        assert len(charts_of(report(form), [report(form, 2023)], VI)) == 1

    def test_tell_their_figures_in_words(self, form):
        of = report(form)

        [sentence] = told(charts_of(of, [], VI))

        assert [int(f) for f in re.findall(r": (\d+)", sentence)] == totals(of, CHOICES[form].parts)

    def test_are_pictures_with_a_title_and_a_description(self, form):
        page = render(report(form), Format.HTML, VI, [report(form, y) for y in YEARS])[0]
        elements = read_html(page).elements
        ids = {a["id"] for _, a in elements if "id" in a}
        pictures = [a for tag, a in elements if tag == "svg"]

        assert len(pictures) == 3
        assert all(a["role"] == "img" for a in pictures)
        assert {a[key] for a in pictures for key in ("aria-labelledby", "aria-describedby")} <= ids

    def test_are_told_apart_without_colour(self, form):
        for chart in charts_of(report(form), [report(form, y) for y in YEARS], VI):
            fills = set(re.findall(r'(?:fill|stroke)="([^"]+)"', chart))
            patterns = {
                f"url(#{name})" for name in re.findall(r'<pattern[^>]* id="([^"]+)"', chart)
            }
            assert fills <= {"currentColor", "none", *patterns}

    def test_draw_each_part_in_a_way_of_its_own(self, form):
        [chart] = charts_of(report(form), [], VI)

        drawn = re.findall(r"<rect[^>]* (?:fill)=\"([^\"]+)", chart)
        assert len(drawn) == len(set(drawn)) == len(CHOICES[form].parts)


class TestSecrecy:
    def test_a_public_page_never_reads_an_internal_report(self):
        others = [report(year=year) for year in YEARS]

        assert len(charts_of(public(), others, VI)) == 1

    def test_nothing_is_read_of_another_unit_form_or_kind_of_period(self):
        other_period = report(year=2025).period.model_copy(update={"code": "2025-y"})
        others = [
            report(year=2025, unit="so-y-te"),
            report("s-124", 2025),
            report(year=2025, period=other_period),
            report(year=2027),
        ]

        assert len(charts_of(report(), others, VI)) == 1

    def test_the_newest_revision_is_compared_with(self):
        totals_now = tuple(cell + 1 for cell in report(year=2025).totals)
        others = [report(year=2025, revision=2, totals=totals_now), report(year=2025)]

        _, chart = charts_of(report(), others, VI)

        assert set(totals(others[0], CHOICES["01-xld"].parts)) <= written(chart)

    def test_a_withheld_figure_is_a_sign_and_no_bar(self):
        cells = list(public().totals)
        cells[10] = None

        [chart] = charts_of(public(totals=tuple(cells)), [], VI)

        assert "…" in told([chart])[0]
        assert 'width="0.0"' in chart

    def test_a_trend_has_a_gap_where_a_figure_is_withheld(self):
        cells = list(report(year=2025).totals)
        cells[0] = None
        line = [report(year=2023), report(year=2024), report(year=2025, totals=tuple(cells))]

        whole = charts_of(report(), [*line[:2], report(year=2025)], VI)[2]
        broken = charts_of(report(), line, VI)[2]

        assert broken.count(" L") < whole.count(" L")
        assert "…" in told([broken])[0]


def test_a_form_without_a_choice_has_no_chart():
    assert charts_of(report(form="01-xld", columns=report("s-124").columns), [], VI) == ()
