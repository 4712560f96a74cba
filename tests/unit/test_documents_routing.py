"""The page on who leads a case says what routing takes and refuses."""

import inspect
import json
import re

import pytest
import yaml

from deploy.rulebook import coverage, firing, forms, lint, sources, terms, withdrawals, words
from services.reporting.domain.forms import rules
from services.routing.domain import clocks, objections, objections_to_unsealing
from services.routing.domain.command import ORDERS, Command, id_reused, read_command, unknown_case
from services.routing.http import door, orders
from shared.contracts.case import Assigning
from shared.contracts.rulebook import ClockRule, EscalationRule, UnsealingRule
from shared.contracts.vocabulary import Unseals
from tests.documents import ROOT, SAMPLES, block, section

PAGE = ROOT / "docs" / "routing.md"
SAID = section("What a body orders", PAGE)
ROWS = {
    type_: json.loads(data)
    for type_, data in re.findall(r"^\| `([\w.-]+)` `(.+?)` \|", SAID, re.MULTILINE)
}

REFUSALS = sorted(
    set(
        re.findall(
            r'(?:_on_\w+|_refused|Refusal\.of)\(\s*"([a-z-]+)"',
            "".join(map(inspect.getsource, (objections, objections_to_unsealing, clocks))),
        )
    )
    | {id_reused().problem, unknown_case().problem}
)
FINDINGS = sorted(
    {
        code
        for module in (lint, terms, coverage, firing, sources, withdrawals, words, forms)
        for code in re.findall(
            r'Severity\.\w+(?: if \w+ else Severity\.\w+)?,\s*"([a-z-]+)"',
            inspect.getsource(module),
        )
    }
    | set(re.findall(r'Slip\(\s*"([a-z-]+)"', inspect.getsource(rules)))
)


def test_every_order_has_its_row():
    assert set(ROWS) == set(ORDERS)


@pytest.mark.parametrize("type_", ORDERS)
def test_the_data_of_an_order_is_what_its_contract_takes(type_):
    sent = json.loads(block("command", PAGE)) | {"type": type_, "data": ROWS[type_]}

    assert isinstance(read_command(type_, json.dumps(sent).encode()), Command)


def test_the_order_shown_is_taken():
    shown = block("command", PAGE).encode()

    assert isinstance(read_command(json.loads(shown)["type"], shown), Command)


@pytest.mark.parametrize("problem", REFUSALS)
def test_every_reason_for_a_refusal_is_named(problem):
    assert f"`{problem}`" in SAID


@pytest.mark.parametrize("why", Assigning)
def test_every_reason_why_a_case_moves_is_named(why):
    assert f"`{why}`" in section("How a case moves by itself", PAGE)


@pytest.mark.parametrize("problem", FINDINGS)
def test_every_finding_of_lint_is_explained(problem):
    assert f"`{problem}`" in section("Look for mistakes", PAGE)


def test_the_escalation_shown_names_the_term_beside_it():
    [shown] = re.findall(
        r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    said = yaml.safe_load(shown)
    [clock] = [ClockRule.model_validate(rule) for rule in said["clocks"]]
    [escalation] = [EscalationRule.model_validate(rule) for rule in said["escalations"]]

    assert escalation.clock == clock.code


class TestOverHttp:
    SAID = section("Over HTTP", PAGE)

    def test_the_client_is_the_file_beside_it(self):
        assert block("body_client.py", PAGE) == (SAMPLES / "body_client.py").read_text("utf-8")

    @pytest.mark.parametrize(
        "limit",
        [
            f"| {orders.MOST_BYTES // 1024} KB |",
            f"| {orders.MOST_BATCH_BYTES // 1024**2} MB and {orders.MOST_ORDERS} orders;",
            f"| {orders.BODY_SECONDS:.0f} seconds |",
            f"| {door.MOST_OF_A_BODY} of one body |",
        ],
    )
    def test_each_limit_is_that_of_the_code(self, limit):
        assert limit in self.SAID

    def test_every_conflict_is_named(self):
        [row] = re.findall(r"^\| 409 \|.*$", self.SAID, re.MULTILINE)

        assert {f"/problems/{p}" for p in re.findall(r"`([a-z-]+)`", row)} == set(
            orders.STATUS_OF_REFUSAL
        )

    def test_every_conflict_is_a_refusal_that_there_is(self):
        assert {p.removeprefix("/problems/") for p in orders.STATUS_OF_REFUSAL} <= set(REFUSALS)


def test_the_findings_and_refusals_were_found():
    assert (len(REFUSALS), len(FINDINGS)) >= (20, 32)


def test_the_grounds_shown_are_rules():
    said = yaml.safe_load(block("rulebook.yaml", PAGE))

    rules = [UnsealingRule.model_validate(rule) for rule in said["unsealings"]]
    assert {rule.unseals for rule in rules} == set(Unseals)
