"""The shape of the repository: three roots of one namespace, small files, and examples that load."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tillgate.guards.policy.load import load_policy_file
from tillgate.server.app import tool_map

ROOT = Path(__file__).parents[1]
ROOTS = [ROOT / name for name in ("server", "tools", "guards")]
CODE = [file for root in [*ROOTS, ROOT / "tests", ROOT / "benchmarks", ROOT / "examples", ROOT / "scripts"]
        for file in sorted(root.rglob("*.py"))]  # fmt: skip
POLICIES = [
    ROOT / "policy.yaml",
    ROOT / "server/tillgate/server/stricter.yaml",
    *sorted(ROOT.glob("examples/**/policy.yaml")),
]
LONGEST = 500


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_a_root_holds_its_part_of_the_namespace_and_nothing_that_hides_the_others(root: Path) -> None:
    assert not (root / "tillgate/__init__.py").exists()
    assert not (root / "__init__.py").exists()
    assert [entry.name for entry in (root / "tillgate").iterdir() if entry.name != "__pycache__"] == [root.name]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_a_package_is_typed_and_its_inits_are_empty(root: Path) -> None:
    assert (root / "tillgate" / root.name / "py.typed").is_file()
    inits = [file for file in root.rglob("__init__.py") if file.read_text("utf-8").strip()]
    assert inits == []


def test_every_directory_of_code_is_a_package() -> None:
    folders = {file.parent for root in ROOTS for file in root.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_no_file_is_longer_than_anybody_reads() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in CODE}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_a_module_opens_with_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in CODE
        if file.name != "__init__.py" and not file.read_text("utf-8").startswith('"""')
    ]
    assert silent == []


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_shipped_policy_loads_without_a_warning(file: Path) -> None:
    policy = load_policy_file(file, [tool.surface for tool in tool_map().values()])
    assert [str(warning) for warning in policy.warnings] == []


def test_a_wheel_would_hold_all_three_roots_and_the_policy() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built["packages"] == [f"{root.name}/tillgate" for root in ROOTS]
    assert built["force-include"]["policy.yaml"] == "tillgate/_data/policy.yaml"


def test_the_lock_names_only_the_public_index() -> None:
    """A lock written behind a mirror would send everybody there."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    found = {str(package["source"]) for package in lock["package"] if package["name"] != "tillgate"}
    assert len(found) == 1
    assert not any("file:" in str(package) for package in lock["package"])


@pytest.mark.parametrize("script", ["scripts/demo", "scripts/test", "scripts/clients", "scripts/setup.sh", ".ci/run"])
def test_a_script_is_sound_bash(script: str) -> None:
    done = subprocess.run(["bash", "-n", str(ROOT / script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert script.endswith(".sh") or (ROOT / script).stat().st_mode & 0o111
