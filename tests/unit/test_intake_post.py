"""What a mail server may say, and that it hears no more than one mail to one recipient."""

import asyncio
import re
import ssl

import pytest

from services.intake.acknowledging import BadAddress, Post, PostAway, PostOffice, Taken
from services.intake.app import Settings
from services.intake.domain.mail import read_mail
from tests.examples_acknowledging import EVIL, PAYLOADS, hostile_mails
from tests.fakes_acknowledging import PostServer
from tests.unit.test_intake_acknowledging import MAILBOX, PERSON, intake  # noqa: F401
from tests.unit.test_intake_writing import HEADERS, field_lines

MAIL = b"Subject: a\r\n\r\nline\r\n.dot\r\n"


@pytest.fixture
async def server():
    async with PostServer().listening() as server:
        yield server


def post(server, scheme="smtp", user="", **more):
    url = f"{scheme}://{user}127.0.0.1:{server.port}"
    return Post(PostOffice.at(url), "intake.example.vn", **({"seconds": 2.0} | more))


class TestPost:
    @pytest.mark.parametrize(("scheme", "greeting"), [("smtp", "ehlo"), ("lmtp", "LHLO")])
    async def test_a_mail_is_handed_over_with_an_empty_reverse_path(self, server, scheme, greeting):
        assert await post(server, scheme).send(PERSON, MAIL) is Taken.SENT

        greeted, mail_from, rcpt, data, leave = server.commands
        assert greeted.lower() == f"{greeting.lower()} intake.example.vn"
        assert mail_from.lower().startswith("mail from:<>")
        assert rcpt.lower() == f"rcpt to:<{PERSON}>"
        assert (data.lower(), leave.lower()) == ("data", "quit")
        assert server.mails == [MAIL.replace(b"\r\n.", b"\r\n..") + b".\r\n"]

    @pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
    @pytest.mark.parametrize(
        ("code", "taken"), [("451", Taken.LATER), ("421", Taken.LATER), ("550", Taken.REFUSED)]
    )
    async def test_what_is_said_to_one_mail_is_about_that_mail(self, server, command, code, taken):
        server.answers[command] = f"{code} 4.2.0 no"

        assert await post(server).send(PERSON, MAIL) is taken

    @pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA", "."])
    async def test_a_connection_that_is_cut_is_nobodys_fault(self, server, command):
        server.answers |= {command: "", "HELO": ""}

        with pytest.raises(PostAway):
            await post(server).send(PERSON, MAIL)

    @pytest.mark.parametrize("code", ["451", "550"])
    async def test_who_takes_nothing_from_us_is_away(self, server, code):
        server.answers["MAIL"] = f"{code} no"

        with pytest.raises(PostAway, match="SMTPSenderRefused"):
            await post(server).send(PERSON, MAIL)

    async def test_a_wrong_password_is_no_mails_fault(self, server):
        server.offers = ("AUTH PLAIN",)
        server.answers["AUTH"] = "535 no"

        with pytest.raises(PostAway, match="SMTPAuthenticationError"):
            await post(server, user="us:wrong@").send(PERSON, MAIL)

    async def test_a_server_that_greets_with_no_is_away(self, server):
        server.greeting = "554 go away"

        with pytest.raises(PostAway):
            await post(server).send(PERSON, MAIL)

    async def test_a_server_that_is_not_there_is_away(self, server):
        gone = post(server)
        server.port = 0
        office = PostOffice("smtp", "127.0.0.1", 1, encrypted=False)

        with pytest.raises(PostAway, match="ConnectionRefusedError"):
            await Post(office, "h", seconds=2.0).send(PERSON, MAIL)
        assert await gone.send(PERSON, MAIL) is Taken.SENT

    async def test_a_server_that_says_nothing_is_away(self):
        async with PostServer().listening() as server:
            server.greeting = "220-never ends"

            async with asyncio.timeout(20):
                with pytest.raises(PostAway):
                    await post(server, seconds=0.1).send(PERSON, MAIL)

    @pytest.mark.parametrize("farewell", ["", "421 too late", "500 what"])
    async def test_a_mail_that_was_taken_was_sent_whatever_the_farewell(self, server, farewell):
        server.answers["QUIT"] = farewell

        assert await post(server).send(PERSON, MAIL) is Taken.SENT

    async def test_without_encryption_nothing_goes_to_another_machine(self, server):
        office = PostOffice("smtp", "127.0.0.1", server.port, encrypted=True)

        with pytest.raises(PostAway, match="SMTPNotSupportedError"):
            await Post(office, "h", seconds=2.0).send(PERSON, MAIL)
        assert server.recipients() == []

    async def test_whom_nobody_vouches_for_gets_nothing(self, server):
        server.offers = ("STARTTLS",)
        office = PostOffice("smtps", "127.0.0.1", server.port, encrypted=True)

        with pytest.raises(PostAway, match="SSL"):
            await Post(office, "h", seconds=2.0, tls=ssl.create_default_context()).send(
                PERSON, MAIL
            )
        assert server.recipients() == []

    async def test_one_at_a_time(self, server):
        one = post(server)

        assert await asyncio.gather(*(one.send(PERSON, MAIL) for _ in range(3))) == [Taken.SENT] * 3
        quits = [n for n, command in enumerate(server.commands) if command == "quit"]
        assert quits == [4, 9, 14]


class TestPostOffice:
    @pytest.mark.parametrize(
        ("url", "office"),
        [
            ("smtp://localhost", PostOffice("smtp", "localhost", 25, encrypted=False)),
            ("smtp://mail.vn:587", PostOffice("smtp", "mail.vn", 587, encrypted=True)),
            ("smtp://mail.vn:25?tls=no", PostOffice("smtp", "mail.vn", 25, encrypted=False)),
            ("smtps://mail.vn", PostOffice("smtps", "mail.vn", 465, encrypted=True)),
            ("smtps://127.0.0.1", PostOffice("smtps", "127.0.0.1", 465, encrypted=True)),
            ("lmtp://[::1]:24/", PostOffice("lmtp", "::1", 24, encrypted=False)),
            (
                "smtps://us%40x.vn:p%3A%2F@mail.vn",
                PostOffice("smtps", "mail.vn", 465, encrypted=True, user="us@x.vn", password="p:/"),
            ),
        ],
    )
    def test_an_address_says_all(self, url, office):
        assert PostOffice.at(url) == office

    @pytest.mark.parametrize(
        "url",
        [
            *("mail.vn:25", "http://mail.vn", "smtp://", "smtp:///x", "smtp://mail.vn:port"),
            *("smtp://mail.vn:99999", "smtp://mail.vn/path", "smtp://mail.vn?tls=maybe"),
            "smtp://us:secret@mail.vn?tls=no",
        ],
    )
    def test_any_other_is_refused_unquoted(self, url):
        with pytest.raises(BadAddress) as refused:
            PostOffice.at(url)

        assert "secret" not in str(refused.value)
        assert "mail.vn" not in str(refused.value)

    def test_a_password_is_never_shown(self):
        settings = Settings(smtp_url="smtps://us:secret@mail.vn", receipt_page="https://x.vn")

        assert "secret" not in repr(settings)
        assert "secret" not in repr(PostOffice.at(settings.smtp_url.get_secret_value()))

    def test_acknowledgements_need_a_page_to_tell_of(self):
        with pytest.raises(ValueError, match="LANGNGHE_RECEIPT_PAGE"):
            Settings(smtp_url="smtp://localhost")


class TestHostileMails:
    async def test_none_becomes_a_header_a_recipient_or_a_command(self, intake, server):  # noqa: F811
        intake.post = post(server)
        intake.begin()
        mails = list(hostile_mails())
        assert len(set(PAYLOADS)) == 50
        for raw in mails:
            await intake.take(raw)

        sent = await intake.send()

        written_by = {read_mail(raw).from_address for raw in mails[::2]}
        recipients = [r.strip("<>") for r in server.recipients()]
        plainly = [r for r in recipients if r in written_by]
        assert len(written_by) == len(set(plainly)) == len(PAYLOADS)
        assert EVIL not in recipients
        assert len(recipients) == len(set(recipients)) == len(server.mails) == sent
        kinds = {command.split()[0].lower() for command in server.commands}
        assert kinds == {"ehlo", "mail", "rcpt", "data", "quit"}
        assert {c for c in server.commands if c.startswith("mail")} <= {
            f"mail FROM:<> size={n}" for n in range(10_000)
        }
        for raw in server.mails:
            named = [h for h in field_lines(raw) if h not in {"In-Reply-To", "References"}]
            assert named == [h for h in HEADERS if h not in {"In-Reply-To", "References"}]
            ours = re.sub(rb"\r\n(?:In-Reply-To|References): <[^>\r\n]*>(?=\r\n)", b"", raw)
            assert b"evil" not in ours
            assert MAILBOX.encode() in raw
