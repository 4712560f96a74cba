#!/usr/bin/env python3
# webhook_receiver.py PORT SECRET_FILE FOLDER [CERTIFICATE KEY]: keeps each report posted to it
import base64
import hashlib
import hmac
import json
import ssl
import sys
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

OLDEST = 300  # seconds: who repeats an older post has recorded it
LARGEST = 16 * 1024 * 1024


def is_ours(secret: bytes, headers: Message, body: bytes) -> bool:
    message, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isascii() or not at.isdigit() or abs(time.time() - int(at)) > OLDEST:
        return False
    wanted = hmac.digest(secret, f"{message}.{at}.".encode() + body, hashlib.sha256)
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split()
    ours = b"v1," + base64.b64encode(wanted)
    return any(hmac.compare_digest(ours, each) for each in given)  # several: a secret changes


def keep(event: dict, folder: Path) -> str:
    if event["type"] == "webhook.trial":
        return "trial"
    numbers = folder / "last-number"
    last, number = int(numbers.read_text()) if numbers.exists() else 0, int(event["sequence"])
    if number <= last:  # it was here before: our answer was lost on its way
        return f"{number}: came again"
    name = hashlib.sha256(event["id"].encode()).hexdigest()
    (folder / f"{name}.json").write_text(json.dumps(event, ensure_ascii=False), encoding="utf-8")
    numbers.write_text(str(number))
    gap = f", missed {last + 1} to {number - 1}" if number > last + 1 else ""
    return f"{number}: {event['subject'] if 'subject' in event else event['id']}{gap}"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = self.rfile.read(size) if size <= LARGEST else b""
        if not is_ours(SECRET, self.headers, body):  # before anything in it is believed
            self.answer(401, "not signed by our secret, or too old")
            return
        self.answer(204, keep(json.loads(body), FOLDER))  # 2xx only now, when it is kept

    def answer(self, status: int, said: str) -> None:
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[3])
SECRET = base64.b64decode(Path(sys.argv[2]).read_text().strip().removeprefix("whsec_"))
server = ThreadingHTTPServer(("", PORT), Receiver)
if sys.argv[4:]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*sys.argv[4:6])
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
sys.stdout.write(f"listening on {server.server_address[1]}\n")
sys.stdout.flush()
server.serve_forever()
