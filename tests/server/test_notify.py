"""The outbox leaves the house once, in order, to whoever is meant, and no code stays behind."""

import hashlib
import hmac
import json
import logging
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from worlds import World

from tillgate.guards.errors import ConfigurationError
from tillgate.server.notify import TRIES, Dispatcher, Message, SendFailed, SmtpSender, sender_for
from tillgate.server.settings import settings

CODE = "Your code is 481516."


class Kept:
    """A sender that keeps what it is given, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[Message] = []
        self.failures = failures
        self.called = threading.Event()

    def send(self, message: Message) -> None:
        if self.failures:
            self.failures -= 1
            raise SendFailed("no line")
        self.sent.append(message)
        self.called.set()


class Moments:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def put(world: World, body: str = CODE, to: str = "ana@example.com") -> None:
    with world.store.transaction() as desk:
        desk.send(to, "Your code", body)


def rows(world: World) -> list[tuple[Any, ...]]:
    with world.store.reading() as desk:
        return [tuple(row) for row in desk.sql.rows("SELECT body, sent_at FROM outbox ORDER BY seq")]


def test_messages_go_out_in_order_and_their_bodies_are_blanked(world: World) -> None:
    kept = Kept()
    put(world, "first 111111")
    put(world, "second 222222")
    assert Dispatcher(world.store, kept).drain() is None
    assert [message.body for message in kept.sent] == ["first 111111", "second 222222"]
    assert [body for body, _ in rows(world)] == ["", ""]
    assert all(sent_at for _, sent_at in rows(world))


def test_nothing_is_sent_twice(world: World) -> None:
    kept = Kept()
    put(world)
    dispatcher = Dispatcher(world.store, kept)
    dispatcher.drain()
    dispatcher.drain()
    Dispatcher(world.store, kept).drain()
    assert len(kept.sent) == 1


def test_what_another_process_has_claimed_is_left_to_it_until_it_must_have_died(world: World) -> None:
    put(world)
    with world.store.transaction() as desk:
        desk.sql.run("UPDATE outbox SET sent_at = ?", (world.clock.at.strftime("%Y-%m-%dT%H:%M:%SZ"),))
    kept = Kept()
    Dispatcher(world.store, kept).drain()
    assert kept.sent == []
    world.clock.advance(seconds=121)
    Dispatcher(world.store, kept).drain()
    assert [message.body for message in kept.sent] == [CODE]


def test_a_failure_is_tried_again_later_each_time_and_logged_without_the_code(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    kept, clock = Kept(failures=2), Moments()
    put(world)
    dispatcher = Dispatcher(world.store, kept, clock)
    with caplog.at_level(logging.DEBUG):
        assert dispatcher.drain() == 1.0
        assert dispatcher.drain() == 1.0, "not before its time"
        clock.at = 1.0
        assert dispatcher.drain() == 2.0
        clock.at = 3.0
        assert dispatcher.drain() is None
    assert [message.body for message in kept.sent] == [CODE]
    assert "481516" not in caplog.text
    assert "ana@" not in caplog.text
    assert "try 2 of 5" in caplog.text


def test_a_message_that_cannot_be_sent_holds_up_no_other(world: World) -> None:
    kept = Kept(failures=1)
    put(world, "first")
    put(world, "second")
    Dispatcher(world.store, kept).drain()
    assert [message.body for message in kept.sent] == ["second"]


def test_after_five_tries_it_is_given_up_and_the_code_is_gone(world: World) -> None:
    kept, clock = Kept(failures=99), Moments()
    put(world)
    dispatcher = Dispatcher(world.store, kept, clock)
    for _ in range(TRIES):
        wait = dispatcher.drain()
        clock.at += wait or 0
    assert wait is None
    assert kept.failures == 99 - TRIES
    assert rows(world) == [("", None)]


def test_a_commit_wakes_the_thread(world: World) -> None:
    kept = Kept()
    dispatcher = Dispatcher(world.store, kept)
    dispatcher.start()
    put(world)
    assert kept.called.wait(10)
    dispatcher.stop()
    assert [body for body, _ in rows(world)] == [""]


def test_what_waited_before_the_start_is_sent_too_and_stop_finishes_it(world: World) -> None:
    kept = Kept()
    put(world)
    dispatcher = Dispatcher(world.store, kept)
    dispatcher.start()
    dispatcher.stop()
    assert len(kept.sent) == 1


class Mailbox:
    """What a real SMTP server received."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def test_mail_reaches_a_real_server(world: World, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    sender = sender_for(f"smtp://127.0.0.1:{port}?from=shop@example.com", {})
    assert sender is not None
    put(world)
    assert Dispatcher(world.store, sender).drain() is None
    [mail] = box.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == ("shop@example.com", "ana@example.com", "Your code")
    assert "481516" in str(mail.get_payload())


def test_credentials_do_not_go_over_a_line_without_tls(mailbox: tuple[Mailbox, int]) -> None:
    sender = SmtpSender("127.0.0.1", mailbox[1], "shop@example.com", "user", "hunter2")
    with pytest.raises(SendFailed, match="STARTTLS"):
        sender.send(Message("msg_1", "", "ana@example.com", "Your code", CODE))
    assert mailbox[0].mails == []
    assert "hunter2" not in repr(sender)


def test_a_recipient_that_smuggles_a_header_is_not_sent_to(mailbox: tuple[Mailbox, int]) -> None:
    sender = SmtpSender("127.0.0.1", mailbox[1], "shop@example.com")
    with pytest.raises(SendFailed):
        sender.send(Message("msg_1", "", "ana@example.com\nBcc: eve@example.com", "Your code", CODE))
    assert mailbox[0].mails == []


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; `/moved` sends the client elsewhere."""

    got: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["Tillgate-Signature"], body))
        self.send_response(307 if self.path == "/moved" else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[tuple[list[tuple[str, str, bytes]], str]]:
    got: list[tuple[str, str, bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Own", (Receiver,), {"got": got}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield got, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_gets_signed_json(world: World, receiver: tuple[list[tuple[str, str, bytes]], str]) -> None:
    got, url = receiver
    sender = sender_for(f"{url}/codes?shop=1", {"TILLGATE_WEBHOOK_SECRET": "s3cret"})
    assert sender is not None
    put(world)
    assert Dispatcher(world.store, sender).drain() is None
    [(path, signed, body)] = got
    sent = json.loads(body)
    assert path == "/codes?shop=1"
    assert (sent["id"], sent["to"], sent["body"]) == ("msg_main_1", "ana@example.com", CODE)
    at, digest = (part.partition("=")[2] for part in signed.split(","))
    assert hmac.compare_digest(digest, hmac.new(b"s3cret", f"{at}.".encode() + body, hashlib.sha256).hexdigest())


def test_a_webhook_is_not_followed_elsewhere(receiver: tuple[list[tuple[str, str, bytes]], str]) -> None:
    got, url = receiver
    sender = sender_for(f"{url}/moved", {"TILLGATE_WEBHOOK_SECRET": "s3cret"})
    assert sender is not None
    with pytest.raises(SendFailed, match="307"):
        sender.send(Message("msg_1", "", "ana@example.com", "Your code", CODE))
    assert [path for path, _, _ in got] == ["/moved"]


@pytest.mark.parametrize(
    "notify",
    [
        "carrier-pigeon", "http://example.com/hook", "https://user:word@example.com/hook", "smtp://127.0.0.1:25",
        "smtp://127.0.0.1:25?from=a@example.com&to=b@example.com", "https://example.com:port/", "ftp://example.com/",
    ],
)  # fmt: skip
def test_what_cannot_be_sent_to_safely_is_refused(notify: str) -> None:
    with pytest.raises(ConfigurationError, match="--notify"):
        sender_for(notify, {"TILLGATE_WEBHOOK_SECRET": "s3cret"})


def test_a_webhook_without_a_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="TILLGATE_WEBHOOK_SECRET"):
        sender_for("https://example.com/hook", {})


def test_the_outbox_keeps_its_messages_by_default() -> None:
    assert sender_for(settings().notify, {}) is None
