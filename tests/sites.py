"""The whole site of an app in this process: the gate on one thread, HTTP on another, the same socket between them."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from starlette.testclient import TestClient

from tillgate.server.answering import Answering
from tillgate.server.app import App
from tillgate.server.over_http import hello_of
from tillgate.server.reloading import LivePolicy
from tillgate.server.web.line import Line
from tillgate.server.web.options import access_of
from tillgate.server.web.serve import site_of
from tillgate.server.web.site import Site

PORT = 8123


def site(app: App, line: socket.socket, most_waiting: int = 2_000) -> Site:
    """The site that asks over this socket."""
    access = access_of(app.settings, PORT, app.clock)
    asking = Line(line, lost=lambda: None, most_waiting=most_waiting)
    return site_of(app.settings, hello_of(app), asking, access, app.clock)


@contextmanager
def served(app: App) -> Generator[TestClient]:
    """A client of the site while it is served."""
    gate = replace(app.gate, pages=f"http://127.0.0.1:{PORT}/verify")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answering = Answering(LivePolicy(replace(app, gate=gate)), app.store, ours)
        thread = threading.Thread(target=answering.serve)
        thread.start()
        with TestClient(site(app, theirs), base_url=f"http://127.0.0.1:{PORT}") as client:
            yield client
        thread.join()
