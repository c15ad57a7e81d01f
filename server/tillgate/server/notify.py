"""Sends what waits in the outbox: by SMTP or to a webhook, after the commit that put it there, from one thread.

The rule kept: a one-time code is in no log, and no longer in the store once it was sent or can no longer be sent.
"""

import hashlib
import hmac
import http.client
import json
import logging
import os
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, urlsplit

from tillgate.guards.asking import masked
from tillgate.guards.errors import ConfigurationError
from tillgate.server.settings import Settings
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.rows import time_text
from tillgate.server.store.store import SqlStore

log = logging.getLogger("tillgate.notify")
TRIES = 5
TIMEOUT_SECONDS = 5.0
FIRST_WAIT_SECONDS = 1.0
ABANDONED = timedelta(seconds=120)
"""A message claimed this long ago and not sent belonged to a process that died."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the outbox. `id` stays the same when it is tried again, so a receiver can drop a second copy."""

    id: str
    at: str
    to: str
    subject: str
    body: str = field(repr=False)


_OPEN = "body <> '' AND (sent_at IS NULL OR sent_at < ?)"


class SendFailed(Exception):
    """It was not sent. The words name no recipient and no code."""


class Sender(Protocol):
    """Takes one message out of the house."""

    def send(self, message: Message) -> None:
        """Send it, or raise SendFailed within a few seconds."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """Plain e-mail, over TLS where the server offers it; credentials never go over a connection without it."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def send(self, message: Message) -> None:
        try:
            with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS) as server:
                self._secure(server)
                server.send_message(self._mail(message))
        except (OSError, ValueError) as error:  # smtplib's own exceptions are OSErrors
            raise SendFailed(type(error).__name__) from None

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self.user is not None:
            raise SendFailed("the server offers no STARTTLS, so the credentials are kept back")
        if self.user is not None:
            server.login(self.user, self.password or "")

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, message.to, message.subject
        mail["Message-ID"] = f"<{message.id}@{self.sender.rpartition('@')[2]}>"
        mail.set_content(message.body)
        return mail


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """A POST of one JSON object, signed: `Tillgate-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 of `t.body`."""

    url: SplitResult
    secret: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def send(self, message: Message) -> None:
        fields = {"id": message.id, "at": message.at, "to": message.to, "subject": message.subject}
        body = json.dumps({**fields, "body": message.body}).encode()
        headers = {"Content-Type": "application/json", "Tillgate-Signature": signature(self.secret, self._at(), body)}
        connection = self._connection()
        try:
            connection.request("POST", self._path(), body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SendFailed(type(error).__name__) from None
        finally:
            connection.close()
        if not 200 <= status < 300:  # a redirect is an error too: a code goes to one address only
            raise SendFailed(f"the receiver answered {status}")

    def _at(self) -> int:
        return int(self.clock())

    def _path(self) -> str:
        return (self.url.path or "/") + (f"?{self.url.query}" if self.url.query else "")

    def _connection(self) -> http.client.HTTPConnection:
        host = self.url.hostname or ""
        if self.url.scheme == "http":
            return http.client.HTTPConnection(host, self.url.port, timeout=TIMEOUT_SECONDS)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, self.url.port, timeout=TIMEOUT_SECONDS, context=context)


def signature(secret: str, at: int, body: bytes) -> str:
    """The header that lets a receiver tell our messages from anybody's."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Dispatcher:
    """Takes unsent rows in order, sends them, and blanks what was sent.

    A row is claimed in a transaction before it is sent, so of several processes on one store only one sends it. A
    message can still go out twice if a process dies between sending and writing that down; its id stays the same.
    """

    def __init__(self, store: SqlStore, sender: Sender, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._failed: dict[int, tuple[int, float]] = {}
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="tillgate-notify", daemon=True)

    def start(self) -> None:
        """Send what is there already, and from now on whatever a commit adds."""
        self._store.on_commit(self._wake.set)
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """Finish what is due now and end; the store may be closed afterwards."""
        self._ending = True
        self._wake.set()
        self._thread.join(timeout=2 * TIMEOUT_SECONDS)

    def drain(self) -> float | None:
        """Send all that is due, oldest first. Seconds until the next try, or None when nothing is to be tried again."""
        for seq in self._due():
            message = self._claim(seq)
            if message is not None:
                self._deliver(seq, message)
        waits = [at - self._clock() for _, at in self._failed.values()]
        return max(0.0, min(waits)) if waits else None

    def _run(self) -> None:
        wait: float | None = None
        while True:
            self._wake.wait(wait)
            self._wake.clear()
            ending = self._ending
            try:
                wait = self.drain()
            except Exception:  # the thread outlives any fault; the next commit wakes it again
                log.exception("the outbox could not be read")
                wait = FIRST_WAIT_SECONDS
            if ending:
                return

    def _due(self) -> list[int]:
        now = self._clock()
        with self._store.reading() as desk:
            rows = desk.sql.rows(
                f"SELECT seq FROM outbox WHERE shop = ? AND {_OPEN} ORDER BY seq",  # noqa: S608
                (desk.shop, _abandoned(desk.now)),
            )
        return [row["seq"] for row in rows if self._failed.get(row["seq"], (0, now))[1] <= now]

    def _claim(self, seq: int) -> Message | None:
        with self._store.transaction() as desk:
            row = desk.sql.row(
                f"SELECT at, recipient, subject, body FROM outbox WHERE shop = ? AND seq = ? AND {_OPEN}",  # noqa: S608
                (desk.shop, seq, _abandoned(desk.now)),
            )
            if row is None:
                return None
            _mark(desk, seq, "sent_at = ?", time_text(desk.now))
        return Message(f"msg_{desk.shop}_{seq}", row["at"], row["recipient"], row["subject"], row["body"])

    def _deliver(self, seq: int, message: Message) -> None:
        try:
            self._sender.send(message)
        except SendFailed as error:
            self._put_back(seq, message, str(error))
            return
        self._failed.pop(seq, None)
        with self._store.transaction() as desk:
            _mark(desk, seq, "sent_at = ?, body = ''", time_text(desk.now))

    def _put_back(self, seq: int, message: Message, why: str) -> None:
        tries = self._failed.pop(seq, (0, 0.0))[0] + 1
        given_up = tries >= TRIES
        with self._store.transaction() as desk:
            _mark(desk, seq, "sent_at = ?, body = ''" if given_up else "sent_at = ?", None)
        if not given_up:
            self._failed[seq] = (tries, self._clock() + FIRST_WAIT_SECONDS * 2 ** (tries - 1))
        what = "given up" if given_up else "will be tried again"
        log.warning(
            "message %s to %s was not sent (try %d of %d, %s): %s",
            message.id,
            masked(message.to),
            tries,
            TRIES,
            what,
            why,
        )


def sender_for(notify: str, environ: Mapping[str, str]) -> Sender | None:
    """The sender a setting names; None for `outbox`, which keeps its messages. Raises ConfigurationError."""
    if notify == "outbox":
        return None
    try:
        url = urlsplit(notify)
        host, port = url.hostname, url.port
    except ValueError as error:
        raise ConfigurationError(f"--notify: {error}") from error
    if not host or url.username is not None or url.fragment:
        raise ConfigurationError(
            "--notify: give outbox, smtp://HOST:PORT?from=ADDRESS or https://…, without credentials"
        )
    if url.scheme == "smtp":
        return _smtp(url, host, port or 25, environ)
    if url.scheme == "https" or (url.scheme == "http" and _loopback(host)):
        return _webhook(url, environ)
    raise ConfigurationError("--notify: codes go over https, or over http to this machine only")


def dispatcher_for(settings: Settings, store: SqlStore) -> Dispatcher | None:
    """A running dispatcher for these settings, or None where the outbox keeps its messages."""
    sender = sender_for(settings.notify, os.environ)
    if sender is None:
        return None
    dispatcher = Dispatcher(store, sender)
    dispatcher.start()
    return dispatcher


def _smtp(url: SplitResult, host: str, port: int, environ: Mapping[str, str]) -> SmtpSender:
    asked = parse_qs(url.query)
    sender = asked.pop("from", [""])[0]
    if "@" not in sender or not sender.isprintable() or asked or url.path.strip("/"):
        raise ConfigurationError("--notify smtp: give smtp://HOST:PORT?from=ADDRESS and nothing else")
    return SmtpSender(host, port, sender, environ.get("TILLGATE_SMTP_USER"), environ.get("TILLGATE_SMTP_PASSWORD"))


def _webhook(url: SplitResult, environ: Mapping[str, str]) -> WebhookSender:
    secret = environ.get("TILLGATE_WEBHOOK_SECRET", "")
    if not secret:
        raise ConfigurationError("--notify: set TILLGATE_WEBHOOK_SECRET, so that the receiver can check what it gets")
    return WebhookSender(url, secret)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _mark(desk: SqlDesk, seq: int, what: str, sent_at: str | None) -> None:
    statement = f"UPDATE outbox SET {what} WHERE shop = ? AND seq = ?"  # noqa: S608
    desk.sql.run(statement, (sent_at, desk.shop, seq))


def _abandoned(now: datetime) -> str:
    return time_text(now - ABANDONED)
