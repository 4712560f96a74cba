"""Permissions follow from directory and contracts; keys are drawn once; the server's file is exact."""

import stat
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import nkeys
import orjson
import pytest
from nats.js.errors import NotFoundError
from typer.testing import CliRunner

from deploy.access.cli import nats_app
from deploy.access.local import LocalAccess
from deploy.access.nkeys import (
    KeyRefused,
    draw_another,
    draw_once,
    forget,
    public_key_of,
    public_keys,
    register,
)
from deploy.access.permissions import (
    HOME,
    agency,
    body,
    operator,
    public,
    reader,
    readers,
    service,
    users,
)
from deploy.access.server_file import HEAD, server_file
from deploy.access.violations import Violation, violations
from shared.contracts import EVENTS, FEED
from shared.contracts.directory import Agency, Body, Jurisdiction
from shared.runtime.streams import ANNOUNCES, CONSUMERS, OPERATORS, declare
from tests.examples_intake import TODAY, directory, label

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "directory.yaml"
TOMORROW = TODAY + timedelta(days=1)


def names(**more) -> set[str]:
    return {user.name for user in users(directory(**more), TODAY)}


def dated(kind: str, code: str, **more) -> Agency | Body:
    if kind == "agency":
        return Agency(code=code, unit="an-thai", **more)
    jurisdictions = (Jurisdiction(unit="van-xuan"),)
    return Body(
        code=code,
        name=label(code),
        kind="front",
        unit="van-xuan",
        jurisdictions=jurisdictions,
        **more,
    )


def accounts(every, keys) -> dict:
    return orjson.loads(server_file(every, keys).removeprefix(HEAD))


class TestUsers:
    def test_without_a_directory_there_are_ours_alone(self):
        assert {user.name for user in users(None, TODAY)} == {
            "doorkeeper",
            "operator",
            "public",
            "svc-intake",
            "svc-reporting",
            "svc-routing",
        }

    def test_each_agency_has_one(self):
        assert {"agency-a017", "agency-a018", "agency-a019"} <= names()

    def test_each_body_has_one(self):
        assert "body-mat-tran-tinh" in names()

    @pytest.mark.parametrize("kind", ["agency", "body"])
    @pytest.mark.parametrize(
        ("first", "end", "named"),
        [
            (TODAY, None, True),
            (TODAY, TOMORROW, True),
            (TOMORROW, None, False),
            (date(2020, 1, 1), TODAY, False),
        ],
    )
    def test_a_party_is_one_only_while_its_entry_is_in_force(self, kind, first, end, named):
        entry = dated(kind, "p1", valid_from=first, valid_to=end)
        more = {"agencies" if kind == "agency" else "bodies": (entry,)}

        assert (f"{kind}-p1" in names(**more)) is named

    def test_a_party_with_two_entries_is_one_user(self):
        more = {"agencies": (Agency(code="a1", unit="an-thai"), Agency(code="a1", unit="so-y-te"))}

        every = users(directory(**more), TODAY)

        assert [user.name for user in every].count("agency-a1") == 1

    @pytest.mark.parametrize("code", ["operator", "public", "svc-intake", "intake"])
    def test_no_code_of_a_party_is_taken_for_one_of_ours(self, code):
        assert agency(code).account not in {HOME, "public"}
        assert body(code).account not in {HOME, "public"}
        assert agency(code).name != body(code).name

    def test_an_agency_says_what_the_contract_has_for_it(self):
        assert set(agency("a017").publish) == {
            *(f"feed.a017.{type_}" for type_ in FEED),
            "ask.a017.intake.fates",
            "ask.a017.intake.key",
        }

    def test_a_body_commands_cases_and_no_reports(self):
        assert set(body("b1").publish) == {
            "command.b1.case.accept.v1",
            "command.b1.case.amend.v1",
            "command.b1.case.ask-unsealing.v1",
            "command.b1.case.conclude.v1",
            "command.b1.case.confirm-unsealing.v1",
            "command.b1.case.decline.v1",
            "command.b1.case.extend.v1",
            "command.b1.case.follow-up.v1",
            "command.b1.case.join.v1",
            "command.b1.case.pause.v1",
            "command.b1.case.recommend.v1",
            "command.b1.case.refer.v1",
            "command.b1.case.refuse-unsealing.v1",
            "command.b1.case.reopen.v1",
            "command.b1.case.resume.v1",
            "command.b1.case.split.v1",
            "command.b1.case.transfer.v1",
            "command.b1.case.withdraw.v1",
            "ask.b1.*.*",
        }

    def test_a_reader_takes_by_its_own_consumer_and_makes_none(self):
        assert set(reader("r1").publish) == {
            "$JS.API.CONSUMER.MSG.NEXT.REPORTS.reader-r1",
            "$JS.ACK.REPORTS.reader-r1.>",
        }
        assert reader("r1").subscribe == ("report.public.>",)

    def test_readers_are_those_named_so(self):
        every = ("operator", "reader-b", "agency-reader-x", "public", "reader-a")

        assert readers(every) == (reader("a"), reader("b"))

    def test_what_new_rules_would_do_only_the_operator_may_ask(self):
        assert body("b1").never == ("ask.b1.routing.effect",)
        assert "ask.*.routing.*" in operator().publish

    def test_nobody_outside_hears_an_inbox_of_others(self):
        for user in (agency("x"), body("x"), public(), reader("x")):
            assert not any(subject.startswith("_INBOX") for subject in user.subscribe)


class TestServices:
    def test_every_consumer_is_taken_from_by_its_service(self):
        for durable in CONSUMERS.values():
            wanted = f"$JS.API.CONSUMER.MSG.NEXT.{durable.stream}.{durable.name}"

            assert [name for name in ANNOUNCES if wanted in service(name).publish] == [
                durable.name.partition("-")[0]
            ]

    def test_every_event_is_announced_by_one_service_or_the_operator(self):
        announced = [s for subjects in ANNOUNCES.values() for s in subjects if s in EVENTS]

        assert sorted((*announced, *OPERATORS)) == sorted(EVENTS)

    def test_none_may_answer_wherever_a_question_says(self):
        for name in ANNOUNCES:
            answers = [s for s in service(name).publish if s.startswith("_")]

            assert answers == ["_R_.>", "_INBOX_operator.>"]

    def test_routing_alone_hands_orders_in_and_only_those_that_it_takes(self):
        handed = {
            name: [s for s in service(name).publish if s.startswith("command.")]
            for name in ANNOUNCES
        }

        assert handed == {
            "intake": ["command.*.refused"],
            "routing": ["command.*.refused", *CONSUMERS["routing-commands"].subjects],
            "reporting": ["command.*.refused"],
        }

    def test_reporting_alone_takes_for_webhooks_each_by_its_name(self):
        every = users(None, TODAY, ["w2", "w1"])
        more = {
            user.name: set(user.publish) - set(plain.publish)
            for user, plain in zip(every, users(None, TODAY), strict=True)
        }

        assert more.pop("svc-reporting") == {
            subject
            for code in ("w1", "w2")
            for subject in (
                f"$JS.API.CONSUMER.MSG.NEXT.REPORTS.webhook-{code}",
                f"$JS.ACK.REPORTS.webhook-{code}.>",
            )
        }
        assert set().union(*more.values()) == set()

    def test_the_operator_deletes_no_stream(self):
        assert set(operator().never) == {"$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>"}


KEYS = {"agency-a017": ["UA"], "body-b1": ["UB"], "operator": ["UC"], "public": ["UD"]}
EVERY = (public(), operator(), body("b1"), agency("a017"), agency("a018"))


class TestDeclaring:
    async def test_a_server_that_compares_ids_all_the_same_is_refused(self):
        class Old:
            """Gives every stream the window that it would have without a source."""

            async def stream_info(self, _name):
                raise NotFoundError

            async def add_stream(self, config):
                return SimpleNamespace(config=replace(config, duplicate_window=120.0))

        with pytest.raises(RuntimeError, match=r"FEED compares ids .* 2\.14"):
            await declare(Old())


class TestTheServersFile:
    def test_a_party_imports_exactly_what_it_may_say_and_hear(self):
        party = accounts(EVERY, KEYS)["agency-a017"]

        imported = {i.get("service", i.get("stream"))["subject"] for i in party["imports"]}
        rules = party["users"][0]["permissions"]
        assert imported == set(agency("a017").publish) | {"feed.a017.refused"}
        assert set(rules["publish"]["allow"]) == set(agency("a017").publish)
        assert set(rules["subscribe"]["allow"]) == {"_INBOX_a017.>", "feed.a017.refused"}

    def test_what_is_exported_is_for_one_account_only(self):
        exports = accounts(EVERY, KEYS)[HOME]["exports"]

        assert all(len(export["accounts"]) == 1 for export in exports)
        [feed] = [e for e in exports if e.get("service") == "feed.a017.form.submitted.v1"]
        assert feed["accounts"] == ["agency-a017"]

    def test_only_what_has_many_answers_has_a_way_back_for_them(self):
        every, keys = (*EVERY, reader("r1")), {**KEYS, "reader-r1": ["UR"]}
        exports = accounts(every, keys)[HOME]["exports"]

        assert [e["service"] for e in exports if "response_type" in e] == [
            "$JS.API.CONSUMER.MSG.NEXT.REPORTS.reader-r1"
        ]

    def test_a_user_without_a_key_is_left_out(self):
        assert "agency-a018" not in accounts(EVERY, KEYS)

    def test_who_may_say_nothing_is_forbidden_everything(self):
        [user] = accounts(EVERY, KEYS)["public"]["users"]

        assert user["permissions"]["publish"] == {"deny": [">"]}

    def test_streams_are_in_one_account_only(self):
        made = accounts(EVERY, KEYS)

        assert [name for name, account in made.items() if "jetstream" in account] == [HOME]

    def test_order_makes_no_difference(self):
        assert server_file(EVERY, KEYS) == server_file(EVERY[::-1], KEYS)


class TestKeys:
    def test_a_seed_is_drawn_once(self, tmp_path):
        first = draw_once(tmp_path, "agency-a1").read_bytes()

        assert draw_once(tmp_path, "agency-a1").read_bytes() == first

    def test_two_users_have_different_ones(self, tmp_path):
        draw_once(tmp_path, "agency-a1")
        draw_once(tmp_path, "agency-a2")

        keys = public_keys(tmp_path)
        assert keys["agency-a1"] != keys["agency-a2"]

    def test_only_its_owner_reads_a_seed(self, tmp_path):
        seed = draw_once(tmp_path / "keys", "agency-a1")

        assert stat.S_IMODE(seed.stat().st_mode) == 0o600
        assert stat.S_IMODE(seed.parent.stat().st_mode) == 0o700

    def test_the_public_key_is_that_of_the_seed(self, tmp_path):
        seed = draw_once(tmp_path, "agency-a1")

        pair = nkeys.from_seed(bytearray(seed.read_bytes()))
        assert public_keys(tmp_path) == {"agency-a1": (pair.public_key.decode(),)}

    def test_a_lost_list_is_made_again_from_the_seeds(self, tmp_path):
        draw_once(tmp_path, "agency-a1")
        before = public_keys(tmp_path)
        (tmp_path / "users.json").unlink()
        draw_once(tmp_path, "agency-a1")

        assert public_keys(tmp_path) == before

    def test_a_party_may_keep_its_seed_to_itself(self, tmp_path):
        public_key = public_key_of(draw_once(tmp_path / "elsewhere", "me"))
        register(tmp_path / "here", "agency-a1", public_key)

        assert public_keys(tmp_path / "here") == {"agency-a1": (public_key,)}
        with pytest.raises(KeyRefused, match="keeps its seed elsewhere"):
            draw_once(tmp_path / "here", "agency-a1")

    def test_a_key_that_stands_is_not_replaced(self, tmp_path):
        draw_once(tmp_path, "agency-a1")
        other = public_key_of(draw_once(tmp_path / "elsewhere", "me"))

        with pytest.raises(KeyRefused, match="another key already"):
            register(tmp_path, "agency-a1", other)

    def test_no_two_users_share_a_key(self, tmp_path):
        key = public_key_of(draw_once(tmp_path, "agency-a1"))

        draw_once(tmp_path, "agency-a2")
        with pytest.raises(KeyRefused, match="Another user has this key"):
            register(tmp_path, "agency-a2", key, beside=True)
        with pytest.raises(KeyRefused, match="Another user has this key"):
            register(tmp_path, "agency-a2", key)

    @pytest.mark.parametrize("wrong", ["", "U", "not base 32!", "A" * 56, "é" * 56, "seed"])
    def test_what_is_no_public_key_of_a_user_is_refused(self, tmp_path, wrong):
        if wrong == "seed":
            wrong = draw_once(tmp_path, "agency-a1").read_text()

        with pytest.raises(KeyRefused, match="public NKey"):
            register(tmp_path, "agency-a2", wrong)


class TestAnotherKey:
    def test_holds_beside_the_one_before_until_that_is_forgotten(self, tmp_path):
        first = public_key_of(draw_once(tmp_path, "agency-a1"))
        second = public_key_of(draw_another(tmp_path, "agency-a1"))

        assert public_keys(tmp_path) == {"agency-a1": (first, second)}
        assert forget(tmp_path, "agency-a1", old=True) == 1
        assert public_keys(tmp_path) == {"agency-a1": (second,)}
        assert public_key_of(draw_once(tmp_path, "agency-a1")) == second

    def test_of_one_who_keeps_its_seed_elsewhere_is_listed_beside_it_too(self, tmp_path):
        first = public_key_of(draw_once(tmp_path, "agency-a1"))
        second = public_key_of(draw_once(tmp_path / "elsewhere", "me"))
        register(tmp_path, "agency-a1", second, beside=True)

        assert public_keys(tmp_path)["agency-a1"] == (first, second)
        assert not (tmp_path / "agency-a1.nk").exists()

    def test_a_third_is_refused(self, tmp_path):
        draw_once(tmp_path, "agency-a1")
        draw_another(tmp_path, "agency-a1")
        before = (tmp_path / "agency-a1.nk").read_bytes()

        with pytest.raises(KeyRefused, match="forget agency-a1 --old"):
            draw_another(tmp_path, "agency-a1")
        assert (tmp_path / "agency-a1.nk").read_bytes() == before

    def test_is_none_where_there_is_no_first(self, tmp_path):
        with pytest.raises(KeyRefused, match="has no key yet"):
            draw_another(tmp_path, "agency-a1")

    def test_has_the_same_rights(self):
        party = accounts(EVERY, {**KEYS, "agency-a017": ["UA", "UE"]})["agency-a017"]

        first, second = party["users"]
        assert (first["nkey"], second["nkey"]) == ("UA", "UE")
        assert first["permissions"] == second["permissions"]

    def test_a_list_of_an_earlier_version_is_read_and_written_alike(self, tmp_path):
        key = public_key_of(draw_once(tmp_path, "agency-a1"))

        assert orjson.loads((tmp_path / "users.json").read_bytes()) == {"agency-a1": key}


class TestForgetting:
    def test_leaves_neither_key_nor_seed(self, tmp_path):
        draw_once(tmp_path, "agency-a1")
        other = public_key_of(draw_once(tmp_path, "agency-a2"))
        draw_another(tmp_path, "agency-a1")

        assert forget(tmp_path, "agency-a1") == 2
        assert public_keys(tmp_path) == {"agency-a2": (other,)}
        assert not (tmp_path / "agency-a1.nk").exists()

    def test_of_the_old_without_a_new_changes_nothing(self, tmp_path):
        draw_once(tmp_path, "agency-a1")
        before = public_keys(tmp_path)

        assert forget(tmp_path, "agency-a1", old=True) == 0
        assert public_keys(tmp_path) == before


LINE = (
    '[4129] 2026/11/24 07:15:39.043987 [ERR] 127.0.0.1:43148 - cid:14 - "v2.16.0:python3" - '
    '"agency-a1/nkey:UAAA" - '
)


class TestViolations:
    @pytest.mark.parametrize(
        ("said", "verb", "subject"),
        [
            ('Publish Violation - Subject "feed.b.x.y.v1"', "publish", "feed.b.x.y.v1"),
            ('Publish Violation - Reply "_R_.abc"', "publish", "_R_.abc"),
            ('Subscription Violation - Subject "feed.>", SID 3', "subscription", "feed.>"),
            ('Subscription Violation - Subject "x", Queue: "q", SID 3', "subscription", "x"),
        ],
    )
    def test_each_is_read_with_its_account(self, said, verb, subject):
        assert list(violations([LINE + said])) == [Violation("agency-a1", verb, subject)]

    def test_a_client_cannot_put_it_on_another_by_its_name(self):
        lie = '" - "agency-b/nkey:U" - Publish Violation - Subject "x", SID 1'
        lying = LINE.replace("v2.16.0:python3", lie)

        [violation] = violations([lying + 'Publish Violation - Subject "feed.b.x.y.v1"'])

        assert violation.account == "agency-a1"

    def test_other_lines_are_none(self):
        assert list(violations(["[1] [INF] Server is ready", ""])) == []


class TestTheCommand:
    def run(self, *arguments) -> str:
        result = CliRunner().invoke(nats_app, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    def test_a_key_is_made_and_its_place_told_but_not_the_key(self, tmp_path):
        said = self.run("key", "agency-a1", "--state", tmp_path)

        seed = Path(said.strip())
        assert seed == LocalAccess(tmp_path).seed("agency-a1")
        assert seed.read_text() not in said

    def test_a_key_is_shown_when_asked_for(self, tmp_path):
        said = self.run("key", "agency-a1", "--state", tmp_path, "--show")

        assert LocalAccess(tmp_path).seed("agency-a1").read_text() in said

    @pytest.mark.parametrize("user", ["a1", "agency-", "agency-A", "../x", "agency-a/b", "svc-x"])
    def test_a_name_that_is_no_users_is_refused(self, tmp_path, user):
        result = CliRunner().invoke(nats_app, ["key", user, "--state", str(tmp_path)])

        assert result.exit_code == 2
        assert not list(tmp_path.rglob("*.nk"))

    def test_a_key_is_changed_for_another(self, tmp_path):
        self.run("key", "agency-a1", "--state", tmp_path)
        self.run("key", "agency-a1", "--new", "--state", tmp_path)
        self.run("forget", "agency-a1", "--old", "--state", tmp_path)
        self.run("forget", "agency-a1", "--state", tmp_path)

        assert public_keys(LocalAccess(tmp_path).keys) == {}

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (("agency-a1",), 1, "has no key"),
            (("svc-intake", "--old"), 1, "has no older key"),
            (("operator",), 2, "stop NATS, remove"),
            (("operator", "--old"), 2, "stop NATS, remove"),
            (("doorkeeper",), 2, "stop NATS, remove"),
            (("nobody",), 2, "A user is"),
        ],
    )
    def test_what_cannot_be_forgotten_is_said(self, tmp_path, arguments, code, said):
        LocalAccess(tmp_path).prepare(TODAY)
        before = public_keys(LocalAccess(tmp_path).keys)

        result = CliRunner().invoke(nats_app, ["forget", *arguments, "--state", str(tmp_path)])

        assert result.exit_code == code
        assert said in " ".join(result.output.split())
        assert public_keys(LocalAccess(tmp_path).keys) == before

    @pytest.mark.parametrize("user", ["operator", "doorkeeper"])
    def test_who_keeps_the_door_has_another_key_only_before_a_start(self, tmp_path, user):
        access = LocalAccess(tmp_path)
        access.prepare(TODAY)
        [before] = public_keys(access.keys)[user]
        running = CliRunner().invoke(nats_app, ["key", user, "--new", "--state", str(tmp_path)])

        access.seed(user).unlink()
        listed = orjson.loads((access.keys / "users.json").read_bytes())
        del listed[user]
        (access.keys / "users.json").write_bytes(orjson.dumps(listed))
        access.prepare(TODAY)

        assert running.exit_code == 2
        [after] = public_keys(access.keys)[user]
        written = (tmp_path / "nats-access.conf").read_text()
        assert after in written
        assert before not in written

    def test_the_servers_file_is_the_same_each_time(self, tmp_path):
        self.run("key", "agency-a-tinh", "--state", tmp_path)
        arguments = ("config", "--state", tmp_path, "--directory", SAMPLE, "--on", TODAY)
        self.run(*arguments, "--out", tmp_path / "first.conf")
        second = self.run(*arguments)

        assert (tmp_path / "first.conf").read_text() == second
        assert '"agency-a-tinh"' in second

    def test_a_reader_that_has_a_key_is_in_the_servers_file(self, tmp_path):
        arguments = ("config", "--state", tmp_path, "--directory", SAMPLE, "--on", TODAY)
        before = self.run(*arguments)
        self.run("key", "reader-r1", "--state", tmp_path)

        assert '"reader-r1"' not in before
        assert '"reader-r1"' in self.run(*arguments)

    def test_no_seed_is_in_the_servers_file(self, tmp_path):
        said = self.run("config", "--state", tmp_path, "--directory", SAMPLE, "--on", TODAY)

        for seed in tmp_path.rglob("*.nk"):
            assert seed.read_text() not in said
