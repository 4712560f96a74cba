"""A real Dovecot on loopback, unprivileged: anyone may log in with the password, to a maildir.

Where Dovecot is not installed its tests are skipped, unless `LANGNGHE_REQUIRE` names it.
"""

import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PASSWORD = "secret"
STARTS_WITHIN = 20.0

CONFIGURATION = """
base_dir = {run}
state_dir = {run}
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
mailbox_idle_check_interval = 1 secs
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 400
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""


def binary() -> str:
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        if "dovecot" in os.environ.get("LANGNGHE_REQUIRE", ""):
            pytest.fail("dovecot is required and not installed")
        pytest.skip("dovecot is not installed")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dovecot:
    """`certificate` is one with its key, in PEM; with it `imaps` answers."""

    def __init__(self, folder: Path, certificate: bytes = b"") -> None:
        self._binary = binary()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        self._run = folder / "run"
        self._run.mkdir(parents=True)
        (folder / "mail").mkdir()
        self.imap, self.imaps, self.lmtp = free_port(), free_port(), free_port()
        pem = folder / "server.pem"
        pem.write_bytes(certificate)
        user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self._user, self._group = user.pw_uid, user.pw_gid
        self._configuration = folder / "dovecot.conf"
        self._configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                run=self._run,
                user=user.pw_name,
                group=_group_name(user.pw_gid),
                uid=user.pw_uid,
                gid=user.pw_gid,
                password=PASSWORD,
                imap=self.imap,
                imaps=self.imaps if certificate else 0,
                lmtp=self.lmtp,
                ssl="yes" if certificate else "no",
                certificate=f"ssl_cert = <{pem}\nssl_key = <{pem}" if certificate else "",
            )
        )
        if os.getuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self._user, self._group)

    def start(self) -> None:
        as_nobody = os.getuid() == 0
        self._process = subprocess.Popen(
            [self._binary, "-F", "-c", str(self._configuration)],
            user=self._user if as_nobody else None,
            group=self._group if as_nobody else None,
            extra_groups=[] if as_nobody else None,
            start_new_session=True,
        )
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._greets():
            if time.monotonic() > deadline or self._process.poll() is not None:
                pytest.fail((self.folder / "dovecot.log").read_text()[-2000:])
            time.sleep(0.02)

    def stop(self) -> None:
        """At once, with all its processes, as when the machine fails: every connection is cut."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STARTS_WITHIN)
            self._process = None

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.imap), 1) as greeted:
                return greeted.recv(4) == b"* OK"
        except OSError:
            return False

    def deliver(self, user: str, *mails: bytes) -> None:
        """As a mail server does, by LMTP."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
            lmtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for mail in mails:
                try:
                    lmtp.sendmail("sender@example.test", [user], mail)
                except smtplib.SMTPException:
                    pytest.fail((self.folder / "dovecot.log").read_text()[-2000:])

    def files(self, user: str) -> list[Path]:
        """Every mail of the user's inbox; a maildir keeps the marks in the names."""
        box = self.folder / "mail" / user
        return [p for part in ("new", "cur") for p in (box / part).glob("*")]

    def forget_uids(self, user: str) -> None:
        """The mailbox gets another UIDVALIDITY and its mails other UIDs."""
        for path in (self.folder / "mail" / user).glob("dovecot*"):
            if path.is_file():
                path.unlink()


def mail(subject: str, body: str = "Đèn đường hỏng.\n", *, size: int = 0) -> bytes:
    """A mail of a fictional person; `size` bytes are attached."""
    message = EmailMessage()
    message["From"], message["To"] = "An <an@example.test>", "desk@example.test"
    message["Subject"], message["Message-ID"] = subject, f"<{subject}@example.test>"
    message.set_content(body)
    if size:
        message.add_attachment(bytes(size), maintype="image", subtype="png", filename="a.png")
    return message.as_bytes().replace(b"\n", b"\r\n")


@contextmanager
def running_dovecot(certificate: bytes = b"") -> Iterator[Dovecot]:
    """In a folder of its own: those of pytest are closed to the account that Dovecot runs as."""
    with TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = Dovecot(Path(folder) / "dovecot", certificate)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _group_name(gid: int) -> str:
    return grp.getgrgid(gid).gr_name
