"""A small rulebook, directory and calendar in which `rulebook lint` finds nothing, as plain data."""

from copy import deepcopy
from datetime import date

import yaml

from deploy.rulebook.lint import lint

ON = date(2026, 3, 10)

CITED = {"citation": "Luật, Điều 1", "issued": date(2018, 2, 2), "effective_from": date(2018, 2, 2)}
LABEL = {"vi": "Nhãn"}


def rule(code, **more):
    return {"code": code, "label": LABEL, **CITED, **more}


SOUND = {
    "title": LABEL,
    "default_kind": "reflection",
    "kinds": [
        {"code": "k1", "kind": "denunciation", "keywords": ["tố cáo"], **CITED},
        {"code": "k2", "kind": "complaint", "keywords": ["khiếu nại"], **CITED},
    ],
    "default_category": "ethics",
    "categories": [rule("ethics", keywords=["vòi vĩnh"]), rule("culture", keywords=["cáu gắt"])],
    "eligibility": [rule("unreadable", readable=False), rule("unnamed", names_object=False)],
    "competence": [
        rule("of-denunciations", method="same-level-then-up", kinds=["denunciation"]),
        rule("of-all", method="same-level-then-up"),
    ],
    "conflicts": [
        rule(method, method=method)
        for method in (
            "accused-sits-in-body",
            "accused-heads-superior",
            "deputy-of-accused",
            "declared-relation",
            "recused",
            "author-body",
        )
    ],
    "clocks": [
        rule("answer", starts="assigned", stops="concluded", days=20, day_kind="working"),
        rule("take-up", starts="received", stops="accepted", days=10, day_kind="working"),
    ],
    "activity_forms": [],
    "periods": [
        {"code": "h1", "label": LABEL, "first_day": "12-15", "last_day": "06-14", **CITED},
    ],
    "forms": [
        {
            "code": "f1",
            "title": LABEL,
            "columns": [
                {"code": "1", "label": LABEL, "counts": "2 + 3"},
                {"code": "2", "label": LABEL, "counts": "cases where received"},
                {"code": "3", "label": LABEL, "counts": "cases where carried-over"},
            ],
            "identities": ["1 = 2 + 3"],
            **CITED,
        }
    ],
}
DIRECTORY = {
    "title": LABEL,
    "units": [
        {"code": "province", "name": LABEL, "level": 1},
        {"code": "ward", "name": LABEL, "level": 2, "parent": "province"},
    ],
    "bodies": [
        {
            "code": "front",
            "name": LABEL,
            "kind": "front",
            "unit": "province",
            "jurisdictions": [{"unit": "province"}],
        }
    ],
    "fallback_body": "front",
}
CALENDAR = {
    "title": LABEL,
    "citation": "Thông báo",
    "first_year": 2026,
    "last_year": 2026,
    "swapped": [date(2026, 1, 10)],
    "holidays": [{"day": date(2026, 1, 1), "name": LABEL}],
}


def changed(content, *place, to):
    """The same with the part at `place` set to something else."""
    copy = deepcopy(content)
    part = copy
    for step in place[:-1]:
        part = part[step]
    if place[-1] == "+":
        part.append(to)
    else:
        part[place[-1]] = to
    return copy


def write(path, content):
    path.write_text(yaml.dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


ENDED = {"effective_to": date(2018, 2, 2)}
ENDS_LATER = {"effective_to": date(2027, 1, 1)}


def findings(folder, rulebook, directory=DIRECTORY, calendar=CALENDAR, on=ON):
    """What lint says of the three, written as files into the folder."""
    return lint(
        write(folder / "rulebook.yaml", rulebook),
        on,
        directory=write(folder / "directory.yaml", directory),
        calendar=write(folder / "calendar.yaml", calendar),
    )


SETTLE = rule("settle", starts="accepted", stops="concluded", days=30, day_kind="calendar")
SETTLED = changed(SOUND, "clocks", "+", to=SETTLE)
URGED = rule("urged", clock="settle")


def escalating(*rules, **more):
    """A sound rulebook with a term that begins at the acceptance, and these escalations."""
    return SETTLED | {"escalations": list(rules)} | more
