"""Settings of --http: no door is open by mistake, and a development key is its owner's alone."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from e2e.world import World
from worlds import TestClock

from tillgate.guards.errors import ConfigurationError
from tillgate.server.settings import settings
from tillgate.server.web.dev_key import make_key, private_key, public_keys
from tillgate.server.web.options import Access, access_of

HERE = "127.0.0.1:8123"
AUTH: dict[str, Any] = {"issuer": "https://id.example", "jwks": "https://id.example/keys"}


def access(**flags: Any) -> Access:
    return access_of(settings(**{"http": HERE, **flags}), 8123, TestClock())


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({}, "say whose tokens are taken"),
        ({"issuer": "https://id.example"}, "say whose tokens are taken"),
        ({"jwks": "keys.json"}, "say whose tokens are taken"),
        ({**AUTH, "dev_key": Path("key.json")}, "say whose tokens are taken"),
        ({"http": "0.0.0.0:8123", "unsafe_no_auth": True, "resource_url": "http://a/mcp"}, "loopback"),
        ({"http": "example.com:80", "unsafe_no_auth": True}, "loopback"),
        ({**AUTH, "unsafe_no_auth": True}, "asks for no token"),
        ({**AUTH, "customer": "cus_1"}, "the token says who"),
        ({**AUTH, "jwks": "http://id.example/keys"}, "only fetched over https"),
        ({**AUTH, "http": "0.0.0.0:8123"}, "--resource-url"),
        ({**AUTH, "http": "[::]:8123"}, "--resource-url"),
        ({**AUTH, "resource_url": "shop.example"}, "give an URL"),
        ({**AUTH, "resource_url": "https://shop.example/mcp?a=1"}, "give an URL"),
        ({**AUTH, "resource_url": "https://me@shop.example/mcp"}, "give an URL"),
        ({**AUTH, "acr": ["gold"]}, "VALUE=LEVEL"),
        ({**AUTH, "acr": ["gold=anonymous"]}, "VALUE=LEVEL"),
        ({"dev_key": Path("there-is-none.json")}, "cannot be read"),
        ({"http": "8080", **AUTH}, "give HOST:PORT"),
        ({"http": "127.0.0.1:99999", **AUTH}, "give HOST:PORT"),
        ({"http": ":80", **AUTH}, "give HOST:PORT"),
    ],
)
def test_settings_that_leave_a_door_open_or_contradict_each_other_are_refused(flags: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        access(**flags)


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:8123", "[::1]:8123", "127.8.8.8:8123"])
def test_this_machine_may_ask_for_no_token(host: str) -> None:
    assert access(http=host, unsafe_no_auth=True).tokens is None


def test_a_site_has_the_names_it_was_given_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLGATE_ALLOWED_HOST", "one.example, two.example:8443")
    names = access(**AUTH, http="0.0.0.0:8123", resource_url="https://Shop.example/mcp").names
    assert names.hosts == {"0.0.0.0:8123", "shop.example", "one.example", "two.example:8443"}
    assert names.origins == {"http://0.0.0.0:8123", "https://shop.example"}
    assert "localhost:8123" in access(**AUTH).names.hosts


def test_a_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [public] = json.loads(public_keys(path))["keys"]
    assert "d" not in public
    with pytest.raises(ConfigurationError, match="cannot be written"):
        make_key(path)
    for mode in (0o640, 0o604, 0o620, 0o601):
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            private_key(path)
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        private_key(tmp_path / "link")
    path.write_bytes(b'{"kty": "oct", "k": "x"}')
    with pytest.raises(ConfigurationError, match="no development key"):
        private_key(path)


def test_the_command_mints_what_was_asked_for_and_nothing_nobody_would_take(world: World) -> None:
    said = ("--customer", "cus_ana", "--assurance", "stepped_up", "--agent", "bot", "--scope", "tool:get_order")
    done = world.run("token", *said, "--session", "talk-1", "--expires", "90s")
    assert done.returncode == 0, done.stderr
    key = world.path / "tillgate-dev-key.json"
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    claims = jwt.decode(done.stdout.decode().strip(), options={"verify_signature": False})
    assert (claims["exp"] - claims["iat"], claims["aud"]) == (90, "http://127.0.0.1:8080/mcp")
    assert (claims["customer_id"], claims["client_id"], claims["sid"]) == ("cus_ana", "bot", "talk-1")
    assert (claims["tillgate_assurance"], claims["scope"]) == ("stepped_up", "tool:get_order")
    for wrong in (("--assurance", "god"), ("--assurance", "stepped_up"), ("--expires", "soon"), ("--agent", "")):
        assert world.run("token", *wrong).returncode == 3, wrong
    key.chmod(0o644)
    assert world.run("token").returncode == 3


def test_a_server_without_tokens_or_with_a_key_of_others_does_not_start(world: World) -> None:
    key = world.path / "key.json"
    make_key(key)
    key.chmod(0o644)
    cases = [(), ("--dev-key", str(key)), ("--unsafe-no-auth", "--dev-key", str(key))]
    for flags in cases:
        done = world.run("serve", "--http", "127.0.0.1:0", *flags)
        assert (done.returncode, done.stdout) == (3, b""), flags
        assert b"Traceback" not in done.stderr
