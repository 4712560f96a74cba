"""What the options of `report count` mean, and how a refusal names them."""

from datetime import UTC, datetime

import pytest

from deploy.counting import instant, refusal
from shared.contracts.ingress import FieldProblem
from shared.contracts.report import CountTold
from tests.examples_reporting import ZONE

NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)
"""One o'clock at night on 21 June, local."""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-06-20", "2026-06-20T17:00:00+00:00"),
        ("2026-06-21", None),
        ("2026-06-22", "2026-06-22T17:00:00+00:00"),
        ("2026-06-21T00:30:00+07:00", "2026-06-20T17:30:00+00:00"),
    ],
)
def test_a_day_is_known_to_its_end_and_today_up_to_now(said, meant):
    expected = datetime.fromisoformat(meant) if meant else None

    assert instant(datetime.fromisoformat(said), NOW, ZONE) == expected


def test_a_refusal_names_the_option():
    problem = FieldProblem(field="/as_of", rule="day-outside", advice="Name another day.")

    told = CountTold(status="invalid", problems=(problem,))
    assert refusal(told) == ["--as-of: Name another day."]
