"""Rules on withdrawals: what contradicts itself, or does not say where it stands, is told."""

from datetime import date

import pytest

from tests.examples_lint import ENDS_LATER, LABEL, SOUND, changed, findings, rule, write


@pytest.fixture
def found(tmp_path):
    def find(*withdrawals):
        return findings(tmp_path, SOUND | {"withdrawals": list(withdrawals)})

    return find


def exception(code="signs", **more):
    return {"code": code, "label": LABEL, "citation": "Luật, Điều 33", **more}


OF_DENUNCIATIONS = rule("taken-back", kinds=["denunciation"], exceptions=[exception()])


def test_one_rule_a_kind_is_sound(found):
    assert found(OF_DENUNCIATIONS, rule("complaints", kinds=["complaint"])) == []


def test_a_kind_twice_is_told(found):
    [finding] = found(OF_DENUNCIATIONS, rule("all"))

    assert (finding.problem, finding.rule) == ("withdrawn-twice", "all")
    assert "denunciation" in finding.what


def test_one_may_follow_another(found):
    later = rule("later", kinds=["denunciation"], effective_from=date(2027, 1, 1))

    assert found(OF_DENUNCIATIONS | ENDS_LATER, later) == []


def test_two_of_one_code_are_told_once(found):
    assert [f.problem for f in found(OF_DENUNCIATIONS, OF_DENUNCIATIONS)] == ["overlap"]


def test_one_code_may_stand_for_different_kinds(found):
    assert found(OF_DENUNCIATIONS, rule("taken-back", kinds=["complaint"])) == []


def test_a_rule_cites_where_it_stands(found):
    [finding] = found(OF_DENUNCIATIONS | {"citation": " "})

    assert (finding.problem, finding.rule) == ("no-citation", "taken-back")


def test_an_exception_cites_where_it_stands(found):
    [finding] = found(OF_DENUNCIATIONS | {"exceptions": [exception(citation=" ")]})

    assert (finding.problem, finding.rule) == ("exception-without-citation", "taken-back")


def test_an_exception_without_any_citation_is_no_rulebook(found):
    bare = exception()
    del bare["citation"]

    assert {f.problem for f in found(OF_DENUNCIATIONS | {"exceptions": [bare]})} == {
        "broken-contract"
    }


def test_two_exceptions_of_one_code_are_told(found):
    twice = OF_DENUNCIATIONS | {"exceptions": [exception(), exception()]}

    assert [f.problem for f in found(twice)] == ["exception-twice"]


def test_a_slip_in_a_name_is_told(found):
    slip = OF_DENUNCIATIONS | {"exceptions": [exception(labl=LABEL)]}

    assert [f.problem for f in found(slip)] == ["unknown-field"]


def test_a_finding_names_the_line_of_the_exception(tmp_path):
    content = SOUND | {"withdrawals": [OF_DENUNCIATIONS]}
    content = changed(content, "withdrawals", 0, "exceptions", 0, "citation", to=" ")
    file = write(tmp_path / "rulebook.yaml", content)
    lines = file.read_text(encoding="utf-8").splitlines()
    wanted = next(n for n, line in enumerate(lines, 1) if "code: signs" in line)

    [finding] = findings(tmp_path, content)

    assert finding.line == wanted
