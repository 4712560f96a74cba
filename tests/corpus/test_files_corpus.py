"""Real files through the dry run: one answer for each thing in them, and never a traceback."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.items import Mapping, Reader

pytestmark = pytest.mark.corpus

FOLDER = os.environ.get("LANGNGHE_CORPUS", "")
if not FOLDER:
    pytest.skip("LANGNGHE_CORPUS names no folder", allow_module_level=True)
CORPUS = Path(FOLDER)
ROOT = Path(__file__).parents[2]
FACTS = json.loads((CORPUS / "MANIFEST.json").read_text())["mails"]


def dry_run(*paths: Path) -> tuple[list[dict], subprocess.CompletedProcess]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "feed", "--dry-run", "--json", *map(str, paths)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done


def test_every_mail_is_one_object():
    shown, done = dry_run(CORPUS)

    assert sorted(row["path"] for row in shown) == sorted(map(str, CORPUS.rglob("*.eml")))
    assert {row["fate"] for row in shown} <= {"would-keep", "duplicate", "automatic"}
    assert done.returncode == 0


def test_what_other_parsers_agree_on_is_shown():
    shown, _ = dry_run(CORPUS)

    differing = []
    for row in shown:
        agreed = FACTS[str(Path(row["path"]).relative_to(CORPUS))]["agreed"]
        shows = {
            "from": row["from"],
            "date_utc": row["date"],
            "attachment_count": len(row["attachments"]),
        }
        differing += [f for f in shows.keys() & agreed.keys() if shows[f] != agreed[f]]

    assert len(differing) <= 0.005 * 3 * len(FACTS)


def test_quoted_line_breaks_cost_no_row():
    mapping = Mapping.model_validate(
        {
            "type": "form.submitted.v1",
            "fields": {"time": "created_date", "text": ["complaint_type", "descriptor"]},
            "key": ["unique_key"],
            "zone": "America/New_York",
        }
    )
    reader = Reader([], "a-tinh", datetime(2027, 1, 1, tzinfo=UTC), mapping=mapping)
    path = CORPUS.parent / "service-requests" / "nyc311-street-condition-2024.csv"

    found = list(reader.items(path))

    assert [item.fate for item in found] == [None] * 500
    assert len({json.loads(item.body)["id"] for item in found}) == 500


def test_every_file_of_calls_is_read():
    pytest.importorskip("services.intake.domain.call")
    calls = CORPUS.parent / "calls"

    shown, _ = dry_run(calls)

    assert {row["fate"] for row in shown} <= {"would-keep", "missed", "duplicate", "refused"}
    assert {Path(row["path"].partition("#")[0]).name.partition(":")[0] for row in shown} >= {
        "asterisk-cdr-good.csv",
        "wazo-raw-cel.json",
    }
