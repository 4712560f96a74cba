"""Every real mail goes through the running system: none ends a service, none is lost."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.feed import feed
from deploy.items import Reader
from deploy.rules import RULE_FILES, publish_rules
from deploy.up import system
from deploy.verify import verify

pytestmark = pytest.mark.corpus

FOLDER = os.environ.get("LANGNGHE_CORPUS", "")
if not FOLDER:
    pytest.skip("LANGNGHE_CORPUS names no folder", allow_module_level=True)

AGENCY = "a-so-xay-dung"
MAILS = sorted(p for p in Path(FOLDER).rglob("*.eml") if p.is_file())


async def test_every_mail_of_the_corpus_is_accounted_for(tmp_path):
    said: list[str] = []
    async with (
        system(tmp_path / "state", on_event=said.append) as running,
        connected(running.endpoints.nats) as client,
    ):
        for noun in RULE_FILES:
            await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
        await quiet(client)
        reader = Reader([AGENCY], AGENCY, datetime.now(UTC))
        items = [item for path in MAILS for item in reader.items(path)]
        told = await feed(client, items)
        await quiet(client)
        findings = await verify(client, running.endpoints)
    fates = Counter(t.fate for t in told)
    print(dict(fates))

    assert said == []  # no service ended
    assert len(told) == len(MAILS) >= 580
    assert set(fates) <= {"kept", "duplicate"}
    assert [str(finding) for finding in findings] == []
