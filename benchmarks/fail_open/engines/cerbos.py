"""Cerbos, as its own server process asked over its HTTP API: by default, strict, and strict with attribute schemas.

The binary is the npm package's; `CERBOS` names it. Each policy is served from a folder of its own by a new process.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.fail_open.cases import Call, Written
from benchmarks.fail_open.engines.base import Answer, Refused

HEADER = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: refund
  rules:
"""
SCHEMAS = "  schemas: {resourceSchema: {ref: 'cerbos:///call.json'}}\n"
PERMIT = "- {actions: [issue_refund], effect: EFFECT_ALLOW, roles: [agent]}\n"
SCHEMA = Path(__file__).with_name("cerbos_schema.json")
PATIENCE = 20.0
"""Seconds a server may take to serve or to refuse."""


def versions() -> str:
    """What is measured."""
    told = subprocess.run([_binary(), "--version"], capture_output=True, text=True, check=True)
    return f"cerbos {(told.stdout + told.stderr).split()[0]}"


def _binary() -> str:
    return os.environ["CERBOS"]


class Cerbos:
    """One server a policy; `strict` and `schemas` are the two switches its documentation offers against mistakes."""

    def __init__(self, *, strict: bool = False, schemas: bool = False) -> None:
        self._engine = {"strictEvaluation": strict}
        self._schemas = schemas
        self._server: subprocess.Popen[str] | None = None
        self._folder: Path | None = None
        self._address = ""

    def load(self, written: Written) -> None:
        """Start a server on this policy; one that does not start has refused it."""
        self.close()
        self._folder = Path(tempfile.mkdtemp(prefix="cerbos-"))
        self._write(written, self._folder / "policies")
        self._address = f"http://127.0.0.1:{_free_port()}"
        config = self._folder / "config.json"
        config.write_text(json.dumps(self._config(self._folder / "policies")), "utf-8")
        log = (self._folder / "log").open("w+", encoding="utf-8")
        self._server = subprocess.Popen([_binary(), "server", f"--config={config}"], stdout=log, stderr=log, text=True)
        self._wait(self._server)

    def _write(self, written: Written, folder: Path) -> None:
        (folder / "_schemas").mkdir(parents=True)
        shutil.copy(SCHEMA, folder / "_schemas" / "call.json")
        text = written.whole(HEADER, PERMIT, "    ")
        if self._schemas:
            text = text.replace("  resource: refund\n", "  resource: refund\n" + SCHEMAS)
        (folder / "refund.yaml").write_text(text, "utf-8")
        for name, beside in written.beside.items():
            (folder / name).write_text(beside, "utf-8")

    def _config(self, folder: Path) -> dict[str, Any]:
        return {
            "server": {
                "httpListenAddr": self._address.removeprefix("http://"),
                "grpcListenAddr": f"unix:{folder.parent / 'grpc.sock'}",
            },
            "storage": {"driver": "disk", "disk": {"directory": str(folder)}},
            "engine": self._engine,
            "schema": {"enforcement": "reject" if self._schemas else "none"},
            "telemetry": {"disabled": True},
        }

    def _wait(self, server: subprocess.Popen[str]) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if server.poll() is not None:
                raise self._refusal()
            with suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{self._address}/_cerbos/health", timeout=1)
                return
            time.sleep(0.02)
        raise TimeoutError(f"the server neither serves nor ends: {self._log()}")

    def _refusal(self) -> Exception:
        """Why the server ended: for the policy, or for something this comparison did wrong."""
        lines = [json.loads(line) for line in self._log().splitlines() if line.startswith("{")]
        for line in lines:
            found = next((line[key] for key in ("load_failures", "missing", "duplicates") if key in line), None)
            if found is not None:
                return Refused(json.dumps(found))
            if "policy compilation error" in line.get("error", ""):
                return Refused(line["error"].partition("policy compilation error: ")[2])
        return RuntimeError(f"the server ended, but not over the policy: {self._log()}")

    def _log(self) -> str:
        return (self._folder / "log").read_text("utf-8") if self._folder else ""

    def decide(self, call: Call) -> Answer:
        """Ask the server. A request it does not take is not let through."""
        groups = {name: value for name, value in call.items() if name not in ("tool", "roles")}
        asked = {
            "principal": {"id": "agent_1", "roles": call["roles"]},
            "resources": [
                {"resource": {"kind": "refund", "id": "ord_1", "attr": groups}, "actions": [call["tool"]]},
            ],
        }
        body = json.dumps(asked).encode()
        request = urllib.request.Request(f"{self._address}/api/check/resources", body, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                result = json.load(response)["results"][0]
        except urllib.error.HTTPError as error:
            return Answer(False, f"request refused: {error.read().decode()}")
        effect = result["actions"][call["tool"]]
        wrong = [each["message"] for each in result.get("validationErrors", ())]
        return Answer(effect == "EFFECT_ALLOW", " ".join([effect, *wrong]))

    def close(self) -> None:
        """End the server and remove its folder."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(PATIENCE)
            self._server = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
