"""A rulebook with a form that could not be filled is not published."""

import json

import pytest

from deploy.rules import RULE_FILES, Invalid, read_rules
from tests.examples_lint import SOUND, changed

WRONG = {
    "unreadable-count": changed(
        SOUND, "forms", 0, "columns", 1, "counts", to="cases where recieved"
    ),
    "unknown-column": changed(SOUND, "forms", 0, "identities", to=["1 = 7"]),
    "unknown-column-elsewhere": changed(SOUND, "forms", 0, "identities", to=["1 = f2.1"]),
}


def read(folder, content):
    """JSON is YAML too, and has no aliases, which no rule file may have."""
    file = folder / "rulebook.yaml"
    file.write_text(json.dumps(content, default=str, indent=1, ensure_ascii=False), "utf-8")
    return read_rules(file, RULE_FILES["rulebook"])


def test_a_sound_one_is_read(tmp_path):
    assert [form.code for form in read(tmp_path, SOUND).forms] == ["f1"]


@pytest.mark.parametrize("rule", WRONG)
def test_a_form_that_cannot_be_filled_is_told_with_its_line(tmp_path, rule):
    with pytest.raises(Invalid) as caught:
        read(tmp_path, WRONG[rule])

    [line] = caught.value.lines
    written = (tmp_path / "rulebook.yaml").read_text(encoding="utf-8").splitlines()
    number = int(line.split(": line ")[1].split(":")[0])
    assert line.endswith(f"[{rule}]")
    assert "recieved" in written[number - 1] or "1 = " in written[number - 1]
