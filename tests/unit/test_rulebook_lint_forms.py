"""What is wrong with forms of report is told before a period waits for them."""

import pytest
import yaml

from deploy.rulebook.document import Severity
from deploy.rulebook.lint import lint
from tests.examples_lint import CITED, ENDS_LATER, LABEL, ON, SOUND, changed, findings

COLUMN = {"code": "4", "label": LABEL}
NOT_FOOTING = ["2 = 3"]


def counting(counts, **more):
    """A sound rulebook with one column more, that an identity touches."""
    rules = changed(SOUND, "forms", 0, "columns", "+", to=COLUMN | {"counts": counts} | more)
    return changed(rules, "forms", 0, "identities", to=["1 = 2 + 3", "4 <= 4"])


def identity(text):
    return changed(SOUND, "forms", 0, "identities", "+", to=text)


WRONG = {
    "unreadable-count": counting("cases where recieved"),
    "unreadable-identity": identity("1 == 2"),
    "unknown-column": identity("1 = 7"),
    "unknown-column-elsewhere": identity("1 = f2.1"),
    "column-twice": changed(SOUND, "forms", 0, "columns", "+", to=SOUND["forms"][0]["columns"][1]),
    "unknown-heading": counting("cases", under="none"),
    "heading-in-circle": changed(
        SOUND, "forms", 0, "headings", to=[{"code": "h", "label": LABEL, "under": "h"}]
    ),
    "never-filled": counting("cases where received and carried-over"),
    "may-not-foot": identity("2 = 3"),
    "no-form": SOUND | {"forms": []},
}


@pytest.fixture
def found(tmp_path):
    def find(rulebook=SOUND, **more):
        return findings(tmp_path, rulebook, **more)

    return find


@pytest.mark.parametrize("problem", WRONG)
def test_what_is_wrong_is_found_as_what_it_is(found, problem):
    assert {finding.problem for finding in found(WRONG[problem])} == {problem}


def test_a_word_of_the_language_is_no_code(found):
    rules = counting("cases", code="cases")

    assert "column-reserved" in {finding.problem for finding in found(rules)}


def test_a_form_without_a_citation_is_found(found):
    [finding] = found(changed(SOUND, "forms", 0, "citation", to=" "))

    assert (finding.problem, finding.rule) == ("no-citation", "f1")


def test_two_forms_of_a_code_at_once_are_found(found):
    [finding] = found(changed(SOUND, "forms", "+", to=SOUND["forms"][0]))

    assert finding.problem == "overlap"


def test_a_new_version_of_a_form_is_no_overlap(found):
    old = SOUND["forms"][0]

    newer = old | {"effective_from": ENDS_LATER["effective_to"]}
    assert found(SOUND | {"forms": [old | ENDS_LATER, newer]}) == []


def test_an_unknown_fact_is_told_with_the_one_that_was_likely_meant(found):
    [finding] = found(WRONG["unreadable-count"])

    assert finding.severity is Severity.ERROR
    assert "did you mean 'received'?" in finding.what


def test_a_column_that_no_identity_touches_is_a_note(found):
    rules = changed(SOUND, "forms", 0, "columns", "+", to=COLUMN | {"counts": "cases"})

    [finding] = found(rules)

    assert (finding.problem, finding.severity) == ("no-identity", Severity.NOTE)
    assert finding.what == "No identity touches: 4."


def test_an_identity_of_another_form_touches_a_column(found):
    one = {"code": "1", "label": LABEL, "counts": "cases"}
    other = {"code": "f2", "title": LABEL, "columns": [one], "identities": ["1 = f1.1"], **CITED}

    assert found(changed(SOUND, "forms", "+", to=other)) == []


def test_forms_that_do_not_foot_together_are_found_with_a_case_that_breaks_them(found):
    one = {"code": "1", "label": LABEL, "counts": "cases where eligible"}
    other = {"code": "f2", "title": LABEL, "columns": [one], "identities": ["1 = f1.1"], **CITED}

    [finding] = found(changed(SOUND, "forms", "+", to=other))

    assert (finding.problem, finding.rule) == ("may-not-foot", "f2")
    assert "one case that is" in finding.what


def test_a_finding_names_the_line_of_its_column(tmp_path):
    text = yaml.dump(WRONG["unreadable-count"], allow_unicode=True, sort_keys=False)
    file = tmp_path / "rulebook.yaml"
    file.write_text(text, encoding="utf-8")

    [finding] = lint(file, ON)

    assert text.splitlines()[finding.line - 1].strip() == "counts: cases where recieved"
