"""The routes that are plain HTTP, described, and asked in every way schemathesis thinks of: no fault, no surprise.

There is nothing in the product that describes them: this is what is promised.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from e2e.world import World, policy
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance
from web.house import Web, serving

POLICY = policy("{id: code, tools: [cancel_order], confirm: customer}")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
QUICK = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=1_000, derandomize=False)
PLAIN = ["/healthz", "/verify/style.css", "/verify/cnf_1", "/.well-known/oauth-protected-resource"]


def answers(kind: str, *statuses: int) -> dict[str, Any]:
    return {str(status): {"description": "as promised", "content": {kind: {}}} for status in statuses}


def described(question: str) -> dict[str, Any]:
    """The plain routes of a site, on which this question is open, as OpenAPI."""
    key = {"anyOf": [{"enum": [question]}, {"type": "string", "minLength": 1, "maxLength": 100}]}
    page = {"name": "question", "in": "path", "required": True, "schema": key}
    code = {"type": "object", "properties": {"code": {"type": "string"}}, "additionalProperties": {"type": "string"}}
    form: dict[str, Any] = {"content": {"application/x-www-form-urlencoded": {"schema": code}}}
    message: dict[str, Any] = {"content": {"application/json": {"schema": {}}}}
    metadata = {"get": {"responses": answers("application/json", 200)}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "The plain routes of a site", "version": "1"},
        "paths": {
            "/healthz": {"get": {"responses": answers("application/json", 200)}},
            "/.well-known/oauth-protected-resource": metadata,
            "/.well-known/oauth-protected-resource/mcp": metadata,
            "/verify/style.css": {"get": {"responses": answers("text/css", 200)}},
            "/verify/{question}": {
                "parameters": [page],
                "get": {"responses": answers("text/html", 200, 404)},
                "post": {"requestBody": form, "responses": answers("text/html", 200, 404, 422)},
            },
            "/mcp": {"post": {"requestBody": message, "responses": answers("application/json", 401)}},
        },
    }


@pytest.fixture(scope="module")
def web(seeded: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(seeded.copy(tmp_path_factory.mktemp("plain")), policy=POLICY) as made:
        yield made


def ask_each(web: Web, how: settings) -> None:
    """Every route, in many ways. Nothing changes, as nobody knows the code."""
    told = web.call("cancel_order", {"order_id": "ord_a2", "reason": "other"}).answer
    question = told.envelope["confirmation"]["url"].rpartition("/")[2]
    shop, asked = web.world.shop(), 0
    routes: Any = schemathesis.openapi.from_dict(described(question))
    for found in routes.get_all_operations():

        @how
        @given(case=found.ok().as_strategy())
        def one(case: Any) -> None:
            answer = case.call(base_url=f"http://{web.host}")
            case.validate_response(answer, checks=CHECKS)
            assert b"Traceback" not in answer.content
            assert b"<script" not in answer.content

        one()
        asked += 1
    assert asked == 7
    assert web.world.shop() == shop
    assert not any("Traceback" in line for line in web.said)


def test_what_is_promised_of_the_plain_routes_holds(web: Web) -> None:
    ask_each(web, QUICK)


@pytest.mark.long
def test_it_holds_for_long(web: Web) -> None:
    ask_each(web, LONG)


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_for_them(web: Web, method: str, path: str) -> None:
    raw = f"{method} {path} HTTP/1.1\r\nhost: {web.host}\r\ncontent-length: 0\r\n\r\n"
    assert web.send(raw.encode()).status == 405


def test_what_is_described_is_all_there_is(web: Web) -> None:
    for path in ("/", "/console", "/metrics", "/openapi.json", "/docs", "/verify", "/verify/", "/healthz/"):
        assert web.get(path).status in (307, 404), path
    assert json.loads(web.get("/healthz").body)["store"] == "well"
