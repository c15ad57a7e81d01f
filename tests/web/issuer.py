"""An issuer of tokens: keys of every kind, the set it publishes, and a real server that publishes it."""

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://id.example", "https://shop.example/mcp"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "aud": AUDIENCE, "sub": "person-1", "client_id": "agent", "customer_id": "cus_1",
    "scope": "tools:read", "iat": AT.timestamp(), "exp": AT.timestamp() + 600,
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A key with the name and the algorithm it signs with."""

    kid: str
    algorithm: str
    private: Any
    public: dict[str, Any]

    def token(self, *, algorithm: str | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
        named = {name: value for name, value in {"kid": self.kid, **(header or {})}.items() if value is not None}
        return jwt.encode(said, self.private, algorithm or self.algorithm, named)


def rsa_pair(kid: str = "rsa", bits: int = 2048) -> Pair:
    key = rsa.generate_private_key(65537, bits)
    return Pair(kid, "RS256", key, {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid})


def ec_pair(kid: str = "ec") -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    return Pair(kid, "ES256", key, {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid})


def ed_pair(kid: str = "ed") -> Pair:
    key = ed25519.Ed25519PrivateKey.generate()
    return Pair(kid, "EdDSA", key, {**OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid})


def published(*pairs: Pair, **more: Any) -> bytes:
    return json.dumps({"keys": [{**pair.public, **more} for pair in pairs]}).encode()


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@dataclass
class Publisher:
    """Answers with whatever it holds, and counts how often it was asked."""

    body: bytes
    status: int = 200
    asked: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""


@contextlib.contextmanager
def publishing(body: bytes) -> Iterator[Publisher]:
    publisher = Publisher(body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked += 1
            self.send_response(publisher.status)
            for name, value in publisher.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(publisher.body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(publisher.body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    publisher.url = f"http://127.0.0.1:{server.server_port}/keys"
    try:
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
