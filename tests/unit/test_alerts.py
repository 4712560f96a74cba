"""Each alert fires for what it is for and for nothing else, and falls silent again.

What Prometheus is given is what the services' own collectors export, and Prometheus itself
judges: `promtool`, of the package `prometheus`, on the PATH or named in `LANGNGHE_PROMTOOL`.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
import typer
import yaml

from deploy.cli import app
from services.intake.handlers.listening import FEED_SILENT, FEEDS
from services.intake.handlers.watching import CHANNELS, QUIET_FOR, SILENT
from services.intake.inbox import INBOX, MISSING
from services.intake.parsing.pool import PARSE_FAILURES, REFUSED_TIME
from services.intake.sources.mailbox import LEFT, TROUBLED
from services.reporting import lookout
from services.reporting.issuing import EDITIONS, NOT_NOW, REFUSED
from services.reporting.lookout import LOOK
from services.reporting.push.delivering import FAILING, PAUSED
from shared.runtime import telemetry
from shared.runtime.streams import ANNOUNCES, CONSUMERS, STREAMS_LOOKED_AT
from shared.runtime.web import STANDING, WAITING
from tests.documents import ROOT, anchor, section
from tests.exposition import Metric, exported, over_time, scraped

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "langnghe.json"
OPERATE = ROOT / "docs" / "operate.md"
PROMTOOL = os.environ.get("LANGNGHE_PROMTOOL") or shutil.which("promtool")

HEALTHY_MINUTES, SICK_MINUTES, AFTERWARDS = 120, 30, 120
BEFORE, DURING, AFTER = "119m", "145m", "265m"
JOBS = ("intake", "routing", "reporting")

ROWS = ("reporting-rows",)
CALL = "hotline-call.logged.v1"


def rules() -> list[dict]:
    return yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]


def well(**more: dict) -> dict:
    """What the lookout sees on a quiet day."""
    durables = dict.fromkeys([(name,) for name in CONSUMERS], 0.0)
    return {
        lookout.PENDING: durables,
        lookout.ACK_PENDING: durables,
        lookout.REDELIVERED: durables,
        lookout.OLDEST: durables,
        lookout.MESSAGES: dict.fromkeys([(name,) for name in STREAMS_LOOKED_AT], 7.0),
        lookout.BYTES: dict.fromkeys([(name,) for name in STREAMS_LOOKED_AT], 7000.0),
        lookout.FILL: {("FEED",): 0.1, ("COMMANDS",): 0.0},
        lookout.DEAD: {("FEED",): 0.0, ("COMMANDS",): 0.0, ("EVENTS",): 0.0},
        lookout.LIMBO: {("FEED", ""): 0.0, ("EVENTS", "reporting-rows"): 0.0},
        **more,
    }


def waits_for(*parts: str) -> None:
    standing = {"start": 0.0, "nats": 0.0, "mongo": 0.0, **dict.fromkeys(parts, 1.0)}
    STANDING.tell({WAITING: {(part,): figure for part, figure in standing.items()}})


def healthy() -> None:
    """Everything is there, nothing waits, and a little of each happens."""
    for gauge in (TROUBLED, LEFT, PAUSED, FAILING):
        gauge.clear()
    TROUBLED.labels("a017-1").set(0)
    PAUSED.labels("w1").set(0)
    for service in ANNOUNCES:
        telemetry.begin_announcing(service)
    for name in CONSUMERS:
        telemetry.begin(name)
    telemetry.count_item("feed", CALL, "refused")
    LOOK.tell(well())
    waits_for()
    hotline = ("a017", "hotline")
    CHANNELS.tell({SILENT: {hotline: 0.0}, QUIET_FOR: {hotline: 3600.0}})
    FEEDS.tell({})
    INBOX.tell({MISSING: {("FEED",): 0.0}})


def lags() -> None:
    LOOK.tell(well(**{lookout.PENDING: {ROWS: 3.0}, lookout.OLDEST: {ROWS: 31.0}}))


def tries_again() -> None:
    LOOK.tell(well(**{lookout.ACK_PENDING: {ROWS: 1.0}, lookout.OLDEST: {ROWS: 901.0}}))


def times(count: int, happens: Callable[[], object]) -> Callable[[], None]:
    def happen() -> None:
        for _ in range(count):
            happens()

    return happen


def announced(type_: str) -> Callable[[], None]:
    def announce() -> None:
        telemetry.ANNOUNCED.labels(type_).inc()

    return announce


def sees(**more: dict) -> Callable[[], None]:
    return lambda: LOOK.tell(well(**more))


SICK: dict[str, Callable[[], object]] = {
    "NatsAway": lambda: waits_for("nats"),
    "MongoAway": lambda: waits_for("mongo"),
    "PartWaits": lambda: waits_for("routing-commands"),
    "LookoutBlind": LOOK.forget,
    "ConsumerLags": lags,
    "MessageTooOld": tries_again,
    "Retries": times(20, lambda: telemetry.RETRIED.labels(*ROWS).inc()),
    "DeadLetters": sees(**{lookout.DEAD: {("EVENTS",): 1.0}}),
    "ReconciliationDiffers": sees(**{lookout.LIMBO: {("EVENTS", "reporting-rows"): 1.0}}),
    "SendingsMissing": lambda: INBOX.tell({MISSING: {("FEED",): 1.0}}),
    "StreamNearlyFull": sees(**{lookout.FILL: {("FEED",): 0.81}}),
    "ClocksMissed": times(25, announced("clock.missed.v1")),
    "ChannelSilent": lambda: CHANNELS.tell({SILENT: {("a017", "hotline"): 1.0}}),
    "FeedSilent": lambda: FEEDS.tell({FEED_SILENT: {("a017",): 1.0}}),
    "FeedInterrupted": announced("channel.interrupted.v1"),
    "MailboxTroubled": lambda: TROUBLED.labels("a017-1").set(1),
    "MailsUnparsed": times(8, lambda: PARSE_FAILURES.labels(REFUSED_TIME).inc()),
    "SendingsRefused": times(60, lambda: telemetry.count_item("feed", CALL, "refused")),
    "PublicEditionRefused": lambda: EDITIONS.labels(REFUSED).inc(),
    "WebhookPaused": lambda: PAUSED.labels("w1").set(1),
}
"""By alert: what makes the services' own metrics say it."""

HARMLESS: dict[str, Callable[[], object]] = {
    "a message in a hand for a minute": sees(
        **{lookout.ACK_PENDING: {ROWS: 1.0}, lookout.OLDEST: {ROWS: 60.0}}
    ),
    "a burst that is being taken": sees(
        **{lookout.PENDING: {ROWS: 9000.0}, lookout.OLDEST: {ROWS: 3.0}}
    ),
    "an edition that waits for more": lambda: EDITIONS.labels(NOT_NOW).inc(),
    "a term that was missed": announced("clock.missed.v1"),
    "a message that was tried again": lambda: telemetry.RETRIED.labels(*ROWS).inc(),
    "a mail that could not be parsed": lambda: PARSE_FAILURES.labels(REFUSED_TIME).inc(),
}


OF_TARGETS = {"ServiceDown": "0", "ServiceMissing": "_"}
"""By alert: what Prometheus has of a target that does not answer, and of one that it lost."""


def up(*, routing: str = "1") -> list[dict[str, str]]:
    """What Prometheus says of its targets; `routing` is what it says while something is wrong."""
    series = []
    for job in JOBS:
        during = routing if job == "routing" else "1"
        values = ["1"] * HEALTHY_MINUTES + [during] * SICK_MINUTES + ["1"] * AFTERWARDS
        name = f'up{{job="{job}",instance="{job}:8080"}}'
        series.append({"series": name, "values": " ".join(values)})
    return series


def history(fall_ill: Callable[[], object]) -> list[dict[str, str]]:
    """A healthy time, then one in which something is wrong, then a healthy one."""
    healthy()
    before = scraped()
    fall_ill()
    during = scraped()
    healthy()
    return over_time([(before, HEALTHY_MINUTES), (during, SICK_MINUTES), (scraped(), AFTERWARDS)])


def judged(tmp_path, series: list[dict[str, str]], *fire: str) -> str:
    """Why it is not so that these alerts fire while something is wrong, each for one thing.

    Before and afterwards none may. Empty if it is so.
    """
    checks = [
        {
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
            "eval_time": moment,
            "exp_samples": [
                {"labels": f'{{alertname="{name}"}}', "value": 1}
                for name in (fire if moment == DURING else ())
            ],
        }
        for moment in (BEFORE, DURING, AFTER)
    ]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": checks}
    file = tmp_path / "alerts.test.yaml"
    whole = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(yaml.safe_dump(whole))
    return promtool("test", "rules", str(file))


def promtool(*command: str) -> str:
    """What it complains of."""
    done = subprocess.run(
        [str(PROMTOOL), *command], capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.fixture(scope="module")
def prometheus():
    if PROMTOOL is None and "promtool" in os.environ.get("LANGNGHE_REQUIRE", ""):
        pytest.fail("there is no promtool")
    if PROMTOOL is None:
        pytest.skip("ALERTS ARE NOT TESTED: there is no promtool")
    yield
    healthy()


@pytest.mark.usefixtures("prometheus")
class TestFiring:
    @pytest.mark.parametrize("alert", SICK)
    def test_it_alone_fires_while_something_is_wrong(self, tmp_path, alert):
        assert judged(tmp_path, history(SICK[alert]) + up(), alert) == ""

    @pytest.mark.parametrize("alert", OF_TARGETS)
    def test_a_service_that_is_gone_is_missed(self, tmp_path, alert):
        series = history(lambda: None) + up(routing=OF_TARGETS[alert])

        assert judged(tmp_path, series, alert) == ""

    @pytest.mark.parametrize("harmless", HARMLESS)
    def test_what_is_no_harm_makes_none_fire(self, tmp_path, harmless):
        assert judged(tmp_path, history(HARMLESS[harmless]) + up()) == ""

    def test_what_prometheus_asks_is_written_as_it_reads_it(self):
        assert promtool("check", "config", str(CONFIG)) == ""


def test_each_alert_is_seen_to_fire():
    assert [rule["alert"] for rule in rules()] == sorted(
        (*OF_TARGETS, *SICK), key=[rule["alert"] for rule in rules()].index
    )


def named(text: str) -> set[str]:
    return set(re.findall(r"\blangnghe_\w+", text))


class TestNames:
    """What is asked for is exported, by this very name."""

    def test_alerts_ask_for_what_is_exported(self):
        names = named("".join(rule["expr"] for rule in rules()))

        assert names
        assert names <= {metric.name for metric in exported()}

    def test_the_dashboard_asks_for_what_is_exported(self):
        panels = json.loads(DASHBOARD.read_text())["panels"]
        asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
        names = named("".join(asked))

        assert names
        assert names <= {metric.name for metric in exported()}

    def test_labels_that_an_alert_speaks_of_are_those_it_keeps(self):
        for rule in rules():
            spoken = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
            kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", rule["expr"]))))

            assert spoken <= kept | {"job", "instance"}, rule["alert"]

    def test_what_a_metric_is_called_keeps_the_customs(self):
        for metric in exported():
            assert not {"party", "sender", "subject", "case", "person"} & set(metric.labels)
            assert metric.said.endswith(".")


class TestTheHandbook:
    """`docs/operate.md` has each metric in its words, and each alert with what to do."""

    def test_each_metric_has_its_row_and_nothing_else_has(self):
        rows = [line for line in section("Metrics", OPERATE).splitlines() if line[:3] == "| `"]

        assert rows == [row(metric) for metric in exported()]

    def test_each_alert_has_a_runbook_and_nothing_else_has(self):
        headings = re.findall(
            r"^#### (\w+)$", section("When an alert fires", OPERATE), re.MULTILINE
        )

        assert headings == [rule["alert"] for rule in rules()]

    def test_each_alert_leads_to_its_runbook(self):
        for rule in rules():
            assert rule["annotations"]["runbook"] == f"docs/operate.md#{anchor(rule['alert'])}"

    def test_each_command_that_it_names_exists(self):
        named = re.findall(r"`cli ([^`]+)`", section("When an alert fires", OPERATE))

        assert named
        for words in named:
            command, path = typer.main.get_command(app), []
            for word in words.split():
                if (commands := getattr(command, "commands", None)) is None:
                    break
                command = commands.get(word)
                path.append(word)
                assert command is not None, path
            options = {opt for parameter in command.params for opt in parameter.opts}
            assert set(re.findall(r"--[\w-]+", words)) <= options, words


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {labels} | {metric.said} |"
