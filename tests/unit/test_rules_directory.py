"""Promises about a directory before it is published: every broken rule, with file and line."""

from datetime import date
from pathlib import Path

import pytest

from deploy.rules import RULE_FILES, Invalid, read_rules
from deploy.rules.changes import changes
from shared.contracts.directory import Holding, Person
from tests.examples_routing import directory, label, unit

ON = date(2026, 3, 10)

SOUND = """\
title: {vi: Tỉnh mẫu}
fallback_body: front
units:
  - {code: province, name: {vi: Tỉnh}, level: 1}
  - {code: ward, name: {vi: Phường}, level: 2, parent: province}
bodies:
  - code: front
    name: {vi: Mặt trận}
    kind: front
    unit: province
    jurisdictions: [{unit: province}]
    members: [chair]
offices:
  - {code: chair, title: {vi: Chủ tịch}, unit: province, rank: head}
persons:
  - {code: p1, name: Trần Thị Mẫu}
holdings:
  - {person: p1, office: chair}
agencies:
  - {code: a1, unit: ward, channels: [{channel: mailbox, address: gop-y@mau.example}]}
"""


def read(path: Path | list[Path]):
    return read_rules(path, RULE_FILES["directory"], ON)


def refused(path: Path | list[Path]) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read(path)
    return caught.value.lines


def written(folder: Path, text: str) -> Path:
    path = folder / "directory.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_directory_is_read(tmp_path):
    assert read(written(tmp_path, SOUND)).fallback_body == "front"


def replaced(old: str, new: str) -> str:
    assert SOUND.count(old) == 1
    return SOUND.replace(old, new)


def added(section: str, *entries: str) -> str:
    return replaced(f"{section}:\n", f"{section}:\n" + "".join(f"  - {e}\n" for e in entries))


WARD = "{{code: {code}, name: {{vi: Xã}}, level: 2, parent: province{more}}}"


def ward(code: str, more: str = "") -> str:
    return WARD.format(code=code, more=f", {more}" if more else "")


BROKEN = {
    "circle": (
        replaced("level: 1}", "level: 1, parent: ward}"),
        4,
        'a circle of parents on 1945-09-02: "province" → "ward" → "province"',
    ),
    "unknown-parent": (replaced("parent: province", "parent: nowhere"), 5, "nowhere"),
    "unknown-unit": (replaced("unit: province, rank", "unit: nowhere, rank"), 14, "nowhere"),
    "unknown-office": (replaced("members: [chair]", "members: [nobody]"), 12, "nobody"),
    "unknown-person": (replaced("person: p1", "person: p9"), 18, "p9"),
    "unknown-body": (replaced("fallback_body: front", "fallback_body: none"), 2, "none"),
    "overlapping-versions": (
        added("units", ward("x"), ward("x", "valid_from: 2025-07-01")),
        5,
        "two versions",
    ),
    "no-day": (added("units", ward("x", "valid_to: 1945-09-02")), 4, "before its first day"),
    "holding-outside-office": (
        replaced("rank: head}", "rank: head, valid_to: 2025-01-01}"),
        18,
        '"chair" is held',
    ),
    "successor-not-in-force": (
        added(
            "units",
            ward("x", "valid_to: 2025-07-01, successors: [{unit: y}]"),
            ward("y", "valid_from: 2025-07-02"),
        ),
        4,
        '"y" is not there on 2025-07-01',
    ),
    "successor-of-the-living": (
        added("units", ward("x", "successors: [{unit: ward}]")),
        4,
        "does not end",
    ),
    "parent-not-in-force": (
        replaced("level: 1}", "level: 1, valid_to: 2025-07-01}"),
        5,
        "nobody goes on",
    ),
    "body-without-jurisdiction": (
        added(
            "bodies",
            "{code: b, name: {vi: Ban}, kind: front, unit: ward, jurisdictions: []}",
        ),
        7,
        '"b" looks into nothing',
    ),
    "unit-without-body": (
        added("units", "{code: island, name: {vi: Đảo}, level: 1}"),
        4,
        '"island"',
    ),
    "unreachable-fallback": (
        replaced("kind: front", "kind: front\n    valid_to: 2026-01-01"),
        2,
        "not in force on 2026-03-10",
    ),
    "duplicate-address": (
        added(
            "agencies",
            "{code: a2, unit: ward, channels: [{channel: mailbox, address: Gop-Y@mau.example}]}",
        ),
        21,
        "mailbox is shown by",
    ),
    "enum": (
        replaced(
            "jurisdictions: [{unit: province}]",
            "jurisdictions: [{unit: province, ranks: [chief]}]",
        ),
        11,
        "'head', 'deputy' or 'member'",
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_said_with_file_and_line(tmp_path, rule):
    text, line, words = BROKEN[rule]
    path = written(tmp_path, text)

    said = [told for told in refused(path) if told.endswith(f"[{rule}]")]

    assert any(told.startswith(f"{path}: line {line}: ") and words in told for told in said), said


def test_a_circle_of_different_days_is_none(tmp_path):
    """Each stood above the other, but not on one day."""
    text = added(
        "units",
        "{code: a, name: {vi: A}, level: 2, parent: province, valid_to: 2025-07-01}",
        "{code: a, name: {vi: A}, level: 3, parent: b, valid_from: 2025-07-01}",
        "{code: b, name: {vi: B}, level: 2, parent: province, valid_from: 2025-07-01}",
        "{code: b, name: {vi: B}, level: 3, parent: a, valid_to: 2025-07-01}",
    )

    assert len(read(written(tmp_path, text)).units) == 6


def test_a_parent_that_one_unit_goes_on_with_may_end(tmp_path):
    text = added(
        "units",
        ward("x", "valid_to: 2025-07-01, successors: [{unit: ward}]"),
        "{code: school, name: {vi: Trường}, level: 3, parent: x}",
    )

    assert len(read(written(tmp_path, text)).units) == 4


def test_a_parent_that_was_split_must_be_named_anew(tmp_path):
    text = added(
        "units",
        ward("x", "valid_to: 2025-07-01, successors: [{unit: ward}, {unit: province}]"),
        "{code: school, name: {vi: Trường}, level: 3, parent: x}",
    )

    [line] = refused(written(tmp_path, text))
    assert 'split into "province", "ward"' in line


def test_an_address_may_pass_to_another_agency(tmp_path):
    text = replaced("{code: a1, unit: ward,", "{code: a1, unit: ward, valid_to: 2025-07-01,")
    later = text + (
        "  - {code: a2, unit: ward, valid_from: 2025-07-01,"
        " channels: [{channel: mailbox, address: gop-y@mau.example}]}\n"
    )

    assert len(read(written(tmp_path, later)).agencies) == 2


class TestTables:
    @pytest.fixture
    def folder(self, tmp_path):
        written(tmp_path, SOUND)
        return tmp_path

    def table(self, folder, name, *lines):
        path = folder / f"{name}.csv"
        path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
        return path

    def test_rows_follow_what_the_yaml_file_lists(self, folder):
        self.table(
            folder,
            "units",
            "code,name,name_en,level,parent,aliases,valid_to,successors",
            "old,Xã Cũ,Old,2,province,Xã A|Xã B,2025-07-01,ward|province:land+ethics",
        )
        self.table(folder, "offices", "code,title,unit,rank", "deputy,Phó Chủ tịch,ward,deputy")
        self.table(folder, "persons", "code,name", 'p2,"Lê, Văn Mẫu"')
        self.table(folder, "holdings", "person,office,valid_from", "p2,deputy,2025-07-01")

        found = read(folder)

        assert [u.code for u in found.units] == ["province", "ward", "old"]
        old = found.units[2]
        assert (old.name.vi, old.name.en, old.aliases) == ("Xã Cũ", "Old", ("Xã A", "Xã B"))
        assert [(s.unit, s.categories) for s in old.successors] == [
            ("ward", ()),
            ("province", ("land", "ethics")),
        ]
        assert found.persons[1].name == "Lê, Văn Mẫu"
        assert found.holdings[1].valid_from == date(2025, 7, 1)

    def test_files_may_be_named_one_by_one(self, folder):
        table = self.table(folder, "persons", "code,name", "p2,Lê Văn Mẫu")

        assert len(read([table, folder / "directory.yaml"]).persons) == 2

    def test_a_broken_row_is_said_with_its_line(self, folder):
        path = self.table(
            folder,
            "units",
            "code,name,level,parent",
            'x,"Xã\nHai dòng",2,province',
            "y,Xã,2,nowhere",
            "z,Xã,9,province",
        )

        assert f"{path}: line 5: units.4.level: " in refused(folder)[0]

        self.table(
            folder,
            "units",
            "code,name,level,parent",
            'x,"Xã\nHai dòng",2,province',
            "y,Xã,2,nowhere",
        )
        assert f"{path}: line 4: units.3.parent: " in refused(folder)[0]

    def test_a_row_of_several_lines_is_said_with_its_first(self, folder):
        row = 'x,"Xã\nHai dòng",2,nowhere'
        path = self.table(folder, "units", "code,name,level,parent", row)

        assert refused(folder)[0].startswith(f"{path}: line 2: ")

    @pytest.mark.parametrize(
        ("name", "lines", "said"),
        [
            ("units", ("code,nom", "x,y"), "line 1: columns are"),
            ("units", ("code,code", "x,y"), "line 1: columns are"),
            ("units", ("code,name", "x"), "line 2: 1 cells under 2 columns"),
            ("persons", ("code,name", 'x,"y'), "line 2"),
            ("bodies", ("code", "x"), "a table is called"),
        ],
    )
    def test_what_is_no_table_is_said(self, folder, name, lines, said):
        path = self.table(folder, name, *lines)

        assert said in refused([folder / "directory.yaml", path])[0]

    def test_a_table_alone_is_not_enough(self, folder):
        path = self.table(folder, "persons", "code,name", "p2,Lê Văn Mẫu")

        assert "needs a YAML file" in refused(path)[0]


class TestBounds:
    def test_more_than_ten_megabytes_are_not_read(self, tmp_path):
        path = tmp_path / "directory.yaml"
        with path.open("wb") as file:
            file.truncate(10 * 1024 * 1024 + 1)

        assert "10 MB" in refused(path)[0]

    def test_too_many_units_are_said(self, tmp_path, monkeypatch):
        monkeypatch.setattr("deploy.rules.reading.MOST_UNITS", 1)

        assert "line 3: more than 1 units" in refused(written(tmp_path, SOUND))[0]

    @pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
    def test_what_nests_too_deep_is_refused(self, tmp_path, text):
        assert "nested more than" in refused(written(tmp_path, text))[0]

    def test_an_alias_is_refused(self, tmp_path):
        assert "line 2: an alias" in refused(written(tmp_path, "a: &x [1]\nb: *x\n"))[0]

    @pytest.mark.parametrize(
        "text", ["a: [", "a: b: c", "a: 2025-99-99", "!!python/object:x {}", ""]
    )
    def test_what_is_no_directory_is_said(self, tmp_path, text):
        assert refused(written(tmp_path, text))[0].startswith(str(tmp_path))

    def test_another_encoding_is_said_with_its_line(self, tmp_path):
        path = tmp_path / "directory.yaml"
        path.write_bytes("title: x\nname: Tỉnh\n".encode("utf-16-le"))
        assert "directory.yaml" in refused(path)[0]
        path.write_bytes(b"title: x\nname: T\xe9nh\n")

        assert "line 2: not UTF-8" in refused(path)[0]

    def test_a_missing_file_is_said(self, tmp_path):
        assert "No such file" in refused(tmp_path / "nowhere.yaml")[0]

    def test_of_very_many_problems_the_first_hundred_are_shown(self, tmp_path):
        text = added("persons", *(["{code: p2, name: Lê Văn Mẫu}"] * 150))

        lines = refused(written(tmp_path, text))
        assert (len(lines), lines[-1]) == (101, "… and 49 more")

    def test_nobody_is_named_in_a_problem(self, tmp_path):
        text = added("persons", "{code: P!, name: Lê Văn Mẫu}", "{code: p3, name: [Lê Văn Mẫu]}")

        assert "Mẫu" not in "".join(refused(written(tmp_path, text)))


class TestChanges:
    before = directory(units=(unit("a"), unit("b"), unit("c"), unit("d"), unit("same")))

    def said(self, after):
        return {(c.part, c.how): c.codes for c in changes(self.before, after)}

    def test_units_added_ended_renamed_changed_are_told_by_code(self):
        day = date(2025, 7, 1)
        after = directory(
            units=(
                unit("a", valid_to=day),
                unit("b", valid_to=day),
                unit("b", valid_from=day).model_copy(update={"name": label("B mới")}),
                unit("c", level=2),
                unit("same"),
                unit("e"),
            )
        )

        assert self.said(after) == {
            ("units", "added"): ("e",),
            ("units", "ended"): ("a", "d"),
            ("units", "renamed"): ("b",),
            ("units", "changed"): ("c",),
        }

    def test_what_is_the_same_in_another_order_is_no_change(self):
        after = self.before.model_copy(update={"units": self.before.units[::-1]})

        assert changes(self.before, after) == ()

    def test_against_nothing_everything_is_added(self):
        assert {change.how for change in changes(None, self.before)} == {"added"}

    def test_persons_stand_under_their_codes(self):
        after = self.before.model_copy(
            update={
                "persons": (Person(code="p7", name="Trần Thị Mẫu"),),
                "holdings": (Holding(person="p7", office="ward-chair"),),
            }
        )

        words = " ".join(change.in_words() for change in changes(self.before, after))
        assert "p7/ward-chair" in words
        assert "Mẫu" not in words

    def test_twenty_codes_are_shown_beside_their_count(self):
        after = directory(units=(*self.before.units, *(unit(f"u{n:02}") for n in range(25))))

        [change] = changes(self.before, after)
        assert change.in_words().startswith("units added: 25: u00, u01,")
        assert change.in_words().endswith("u19 and 5 more")
        assert len(change.as_json()["first"]) == 20
