"""Faults put into real policies, and sound policies that look strange: what each command must find, and must not.

`faults.yaml` holds the faults with what must find them; `shops/` are the policies some of them are put into, each with
its suite; `sound/` are policies with exceptions and bands that are meant.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tillgate.server.cli.main import app

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXAMPLES = {"eu": "eu_shop", "us": "us_shop", "quickstart": "quickstart", "tau": "tau_retail"}
SHOPS = {
    "storefront": ROOT / "policy.yaml",
    "contract": ROOT / "tests" / "server" / "storefront.yaml",
    **{name: ROOT / "examples" / folder / "policy.yaml" for name, folder in EXAMPLES.items()},
    **{
        path.stem: path for path in (*HERE.glob("shops/*.yaml"), *HERE.glob("sound/*.yaml")) if ".test" not in path.name
    },
}
FAULTS: list[dict[str, Any]] = yaml.safe_load((HERE / "faults.yaml").read_text("utf-8"))
NARROW = {"quickstart": ["P117"], "tau": ["P117"], "contract": ["P117", "P113"]}
"""Policies that leave tools out on purpose, and are told which."""


def run(*words: str | Path) -> Any:
    done = CliRunner().invoke(app, ["policy", *map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def suite(policy: Path) -> Path | None:
    beside = policy.with_name(f"{policy.stem}.test.yaml")
    return beside if beside.exists() else None


def codes(policy: Path) -> list[str]:
    told = json.loads(run("check", policy, "--json").stdout)
    return [each["code"] for each in (*told["errors"], *told["warnings"])]


def refuted(policy: Path) -> set[str]:
    done = run("prove", "--all", policy, "--json")
    broken = [each for each in json.loads(done.stdout) if each["result"] != "proved"]
    assert (done.exit_code, [each["result"] for each in broken if each["result"] != "refuted"]) == (bool(broken), [])
    return {each["claim"] for each in broken}


def faulty(fault: dict[str, Any], folder: Path) -> Path:
    sound = SHOPS[fault["shop"]]
    text = sound.read_text("utf-8")
    for change in fault["change"]:
        assert change["is"] in text
        text = text.replace(change["is"], change["becomes"])
    for list_ in sound.parent.glob("*.txt"):
        (folder / list_.name).write_text(list_.read_text("utf-8"))
    (folder / "policy.yaml").write_text(text, "utf-8")
    return folder / "policy.yaml"


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{each['kind']}: {each['name']}" for each in FAULTS])
def test_each_fault_is_found(fault: dict[str, Any], tmp_path: Path) -> None:
    sound, policy, found = SHOPS[fault["shop"]], faulty(fault, tmp_path), fault["found"]
    more = codes(policy)
    for known in NARROW.get(fault["shop"], []):
        more.remove(known)
    assert sorted(set(more)) == sorted(found.get("check", []))
    if "prove" in found:
        pytest.importorskip("z3", reason="the solver is not installed: nothing is proved here")
        assert any(claim.startswith(found["prove"]) for claim in refuted(policy))
    if "test" in found:
        tests = suite(sound)
        assert tests is not None
        assert run("test", tests, "--policy", policy, "--fail-under", "100").exit_code in (1, 3)
    if "diff" in found:
        pytest.importorskip("z3", reason="the solver is not installed: nothing is compared here")
        done = run("diff", sound, policy, "--json")
        told = json.loads(done.stdout)
        assert (done.exit_code, bool(told["turns"] or told["also"])) == (1, True)
        assert all(each["confirmed"] for each in told["turns"])


def test_every_kind_of_command_finds_something_and_every_fault_is_found_by_one() -> None:
    assert all(fault["found"] for fault in FAULTS)
    for command in ("check", "prove", "test", "diff"):
        assert any(command in fault["found"] for fault in FAULTS)


@pytest.mark.parametrize("shop", SHOPS)
def test_a_sound_policy_has_no_finding(shop: str) -> None:
    policy, tests = SHOPS[shop], suite(SHOPS[shop])
    assert codes(policy) == NARROW.get(shop, [])
    if tests is not None:
        done = run("test", tests, "--fail-under", "100")
        assert done.exit_code == 0, done.stdout
    pytest.importorskip("z3", reason="the solver is not installed: nothing is proved here")
    assert refuted(policy) == set()
    assert run("diff", policy, policy).exit_code == 0
