"""Types, subjects and ids: safe for the bus, and the same each time they are asked for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts import CATALOGUE, COMMANDS, EVENTS, FEED
from shared.contracts.case import case_id
from shared.contracts.envelope import Code, derived_id
from shared.contracts.report import Edition, PeriodCode, ReportPublished
from shared.contracts.submission import submission_id
from shared.runtime.streams import STREAMS, stream_of
from tests.contracts import messages

ANNOUNCED = CATALOGUE.keys() - FEED.keys() - COMMANDS.keys()

SAFE_TOKEN = re.compile(r"[a-z0-9-]+")
"""One token of a NATS subject: no wildcard, space, dot or letter that looks like another."""


def every(types):
    return pytest.mark.parametrize("name", sorted(types))


def matching(text_type):
    """Texts that the type's own pattern allows."""
    pattern = TypeAdapter(text_type).json_schema()["pattern"]
    return st.from_regex(re.compile(pattern[1:-1], re.ASCII), fullmatch=True)


class TestSubjects:
    @every(CATALOGUE)
    def test_a_type_is_a_noun_a_verb_and_a_version(self, name):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[1-9]\d*", name)

    @every(CATALOGUE)
    def test_a_catalogued_type_is_the_contracts_own(self, name):
        assert name == CATALOGUE[name].TYPE

    @every(messages.RECORDED)
    def test_a_subject_has_safe_tokens_only(self, name):
        tokens = messages.event(name).data.nats_subject().split(".")

        assert [token for token in tokens if not SAFE_TOKEN.fullmatch(token)] == []

    @every(ANNOUNCED)
    def test_what_services_announce_is_taken_by_one_stream_the_one_it_names(self, name):
        subject = messages.event(name).data.nats_subject()

        assert _taken_by(subject) == [stream_of(subject)]

    @every(FEED)
    def test_what_agencies_send_is_taken_by_the_feed_alone(self, name):
        assert _taken_by(f"feed.a017.{name}") == ["FEED"]

    @every(COMMANDS)
    def test_what_parties_order_is_taken_by_the_commands_alone(self, name):
        assert _taken_by(f"command.mttq-van-xuan.{name}") == ["COMMANDS"]

    @every(EVENTS)
    def test_an_event_is_published_under_its_type(self, name):
        assert messages.event(name).data.nats_subject() == name

    @pytest.mark.parametrize(
        "text", ["", "a.b", "a b", "*", ">", "A", "ấp", "-a", "a-", "a\n", "a" * 64, "a\u0000"]
    )
    def test_a_code_is_never_what_a_subject_could_misread(self, text):
        with pytest.raises(ValidationError):
            TypeAdapter(Code).validate_python(text)

    def test_a_period_code_has_ascii_digits_only(self):
        with pytest.raises(ValidationError):
            TypeAdapter(PeriodCode).validate_python("٢٠٢٦-h1")

    @given(
        form=matching(Code),
        unit=matching(Code),
        period=matching(PeriodCode),
        edition=st.sampled_from(Edition),
    )
    def test_a_reports_subject_is_safe_whatever_its_codes(self, form, unit, period, edition):
        said = messages.content(ReportPublished.TYPE)
        said["data"] |= {"form": form, "unit": unit, "edition": edition.value}
        said["data"]["period"]["code"] = period

        subject = messages.parse(ReportPublished.TYPE, said).data.nats_subject()

        assert len(subject.split(".")) == 5
        assert all(SAFE_TOKEN.fullmatch(token) for token in subject.split("."))


class TestIds:
    texts = st.text(min_size=1, max_size=40)

    @given(cause=texts, names=st.lists(texts, max_size=3))
    def test_the_same_cause_gives_the_same_id(self, cause, names):
        assert derived_id(cause, *names) == derived_id(cause, *names)

    @given(cause=texts, subjects=st.lists(texts, min_size=2, max_size=2, unique=True))
    def test_another_subject_gives_another_id(self, cause, subjects):
        one, other = (derived_id(cause, "case.opened.v1", subject) for subject in subjects)

        assert one != other

    @given(causes=st.lists(texts, min_size=2, max_size=2, unique=True))
    def test_another_cause_gives_another_id(self, causes):
        one, other = (derived_id(cause, "case.opened.v1") for cause in causes)

        assert one != other

    @given(subjects=st.lists(texts, min_size=2, max_size=2, unique=True))
    def test_events_that_follow_from_one_cause_about_two_things_are_two(self, subjects):
        cause = messages.event("submission.received.v1")
        opened = messages.event("case.opened.v1")

        one, other = (
            cause.causes(
                opened.data, source="/services/routing", recorded=cause.time, subject=subject
            )
            for subject in subjects
        )

        assert one.id != other.id

    def test_a_step_done_later_says_the_same_id(self):
        cause = messages.event("submission.received.v1")
        opened = messages.event("case.opened.v1")

        ids = {
            cause.causes(opened.data, source="/services/routing", recorded=at).id
            for at in (cause.time, opened.recordedtime)
        }

        assert len(ids) == 1

    @pytest.mark.parametrize(
        ("cause", "follows"),
        [
            ("submission.received.v1", "case.opened.v1"),
            ("submission.received.v1", "case.assigned.v1"),
            ("case.accept.v1", "case.accepted.v1"),
            ("case.conclude.v1", "case.concluded.v1"),
        ],
    )
    def test_a_recorded_cause_still_gives_the_recorded_id(self, cause, follows):
        recorded = messages.event(follows)

        again = messages.event(cause).causes(
            recorded.data,
            source=recorded.source,
            recorded=recorded.recordedtime,
            subject=recorded.subject,
        )

        assert again.id == recorded.id

    def test_a_recorded_item_is_still_the_recorded_submission(self):
        item = messages.event("hotline-call.logged.v1")

        received = messages.event("submission.received.v1")

        assert submission_id("a017", item.id) == received.subject

    def test_a_recorded_submission_is_still_the_recorded_case(self):
        received = messages.event("submission.received.v1")

        assert case_id(received.subject) == messages.event("case.opened.v1").subject

    def test_what_follows_belongs_to_the_same_affair(self):
        cause = messages.event("submission.received.v1")

        follows = cause.causes(
            messages.event("case.opened.v1").data, source="/services/routing", recorded=cause.time
        )

        assert (follows.correlationid, follows.causationid) == (cause.correlationid, cause.id)

    def test_a_cause_without_an_affair_begins_one(self):
        said = messages.event("submission.received.v1").model_copy(update={"correlationid": None})

        follows = said.causes(
            messages.event("case.opened.v1").data, source="/services/routing", recorded=said.time
        )

        assert follows.correlationid == said.id


def _taken_by(subject):
    """The streams whose subjects match."""
    return [
        stream.name
        for stream in STREAMS
        if any(_matches(subject.split("."), pattern.split(".")) for pattern in stream.subjects)
    ]


def _matches(tokens, pattern):
    if pattern[-1] == ">":
        pattern = [*pattern[:-1], *["*"] * max(1, len(tokens) - len(pattern) + 1)]
    return len(tokens) == len(pattern) and all(
        p in {"*", t} for t, p in zip(tokens, pattern, strict=True)
    )
