"""Named conditions, lists, exceptions, end dates and included files: what they mean, and what they refuse."""

import copy
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from guards.policy.conftest import FACTS, SURFACES

from tillgate.guards.decide import decide
from tillgate.guards.model import Verdict
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.files import Files, gathered, unpacked
from tillgate.guards.policy.load import load_policy, load_policy_file
from tillgate.guards.policy.types import Policy

HEAD = "policy: test\nversion: 1\ncurrency: USD\n"
BASE = "  - {id: all, tools: [issue_refund, get_order], permit: true}\n"


def load(body: str, **files: str) -> Policy:
    others = {name.replace("_", ".", 1): textwrap.dedent(text) for name, text in files.items()}
    return load_policy(Files(HEAD + textwrap.dedent(body), others).packed(), "policy.yaml", SURFACES)


def refused(body: str, **files: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(body, **files)
    return [f"{each.place} {each.code} {each.message}" for each in caught.value.diagnostics]


def verdict(
    policy: Policy, tool: str = "issue_refund", now: int | None = None, **changed: Mapping[str, Any]
) -> Verdict:
    facts = copy.deepcopy(FACTS)
    for group, values in changed.items():
        facts[group] |= values
    return decide(policy, tool, facts if now is None else {**facts, "now": now}).verdict


# -- unless

DEAR = "order.total > money('10.00')"
UNLESS = f'rules:\n{BASE}  - {{id: r, tools: [issue_refund], when: "{DEAR}", unless: {{}}, deny: no}}\n'


@pytest.mark.parametrize(("country", "wanted"), [("US", Verdict.PERMIT), ("GB", Verdict.DENY)])
def test_a_rule_does_not_apply_where_its_exception_holds(country: str, wanted: Verdict) -> None:
    policy = load(UNLESS.replace("{}", "\"order.country == 'US'\""))
    assert verdict(policy, order={"country": country}) is wanted


def test_an_exception_knows_what_the_condition_has_shown() -> None:
    guarded = 'when: "has(order.delivered_days)", unless: "order.delivered_days < 3"'
    assert load(f"rules:\n{BASE}  - {{id: r, tools: [issue_refund], {guarded}, deny: no}}\n").rules
    bare = 'unless: "order.delivered_days < 3"'
    [found] = refused(f"rules:\n{BASE}  - {{id: r, tools: [issue_refund], {bare}, deny: no}}\n")
    assert found.startswith("policy.yaml:6:45 P015")


def test_an_exception_cannot_reach_around_its_brackets() -> None:
    """Each part is a condition by itself; put together as text they would not be."""
    trick = 'when: "order.disputed", unless: "order.disputed) || (true"'
    [found] = refused(f"rules:\n{BASE}  - {{id: r, tools: [issue_refund], {trick}, deny: no}}\n")
    assert "P020" in found


def test_an_exception_that_cannot_be_evaluated_does_not_lift_a_restriction() -> None:
    text = UNLESS.replace("{}", '"has(order.delivered_days) && order.delivered_days > 3"')
    assert verdict(load(text), order={"delivered_days": "soon"}) is Verdict.DENY


# -- until


@pytest.mark.parametrize(("now", "wanted"), [(1767311999, Verdict.DENY), (1767312000, Verdict.PERMIT)])
def test_a_rule_holds_through_its_last_day_and_no_longer(now: int, wanted: Verdict) -> None:
    policy = load(f"rules:\n{BASE}  - {{id: r, tools: [issue_refund], until: 2026-01-01, deny: no}}\n")
    assert verdict(policy, now=now) is wanted


@pytest.mark.parametrize("day", ["2026-02-30", "soon", "2026-W01-1", "20260101", "9999-12-31"])
def test_what_is_no_day_is_refused(day: str) -> None:
    [found] = refused(f"rules:\n{BASE}  - {{id: r, tools: [issue_refund], until: '{day}', deny: no}}\n")
    assert found.startswith("policy.yaml:6:43 P035")


# -- let

LET = """
let:
  small: "impact.amount <= money('20.00')"
  calm: "small && !order.disputed"
rules:
  - {id: r, tools: [issue_refund, get_order], when: "calm", permit: true}
"""


@pytest.mark.parametrize(
    ("amount", "disputed", "wanted"),
    [(2000, False, Verdict.PERMIT), (2001, False, Verdict.DENY), (2000, True, Verdict.DENY)],
)
def test_a_named_condition_means_what_it_says(amount: int, disputed: bool, wanted: Verdict) -> None:
    assert verdict(load(LET), impact={"amount": amount}, order={"disputed": disputed}) is wanted


LETS: list[tuple[str, str, str]] = [
    ("a misspelt fact is told where it is written", "fresh: 'ordr.disputed'", "policy.yaml:5:11 P024"),
    ("a condition must be whole by itself", "fresh: 'order.delivered_days < 3'", "policy.yaml:5:11 P015"),
    ("a name that means something else", "order: 'order.disputed'", "policy.yaml:5:3 P042"),
    ("a name of a level", "NONE: 'order.disputed'", "policy.yaml:5:3 P011"),
    ("a circle", "fresh: 'fresh && order.disputed'", "policy.yaml:5:10 P042"),
    ("a value", "fresh: 'order.total'", "policy.yaml:5:11 P018"),
]


@pytest.mark.parametrize(("body", "wanted"), [case[1:] for case in LETS], ids=[case[0] for case in LETS])
def test_a_bad_named_condition_is_found_at_its_place(body: str, wanted: str) -> None:
    found = refused(f"let:\n  {body}\nrules:\n{BASE}")
    assert len(found) == 1
    assert found[0].startswith(wanted)


def test_a_misspelt_name_is_found_where_it_is_used() -> None:
    [found] = refused(LET.replace('"calm"', '"clam"'))
    assert "P024" in found


def test_named_conditions_cannot_grow_without_end() -> None:
    chain = "".join(f'  n{i}: "!n{i - 1} || n{i - 1}"\n' for i in range(1, 40))
    found = refused(
        f'let:\n  n0: "order.disputed"\n{chain}rules:\n  - {{id: r, tools: [issue_refund], when: n39, permit: true}}\n'
    )
    assert any("P021" in each for each in found)


def test_what_is_never_used_is_warned_of() -> None:
    policy = load(LET.replace('when: "calm"', 'when: "small"') + "lists: {vip: [a]}\n")
    assert [(each.code, each.line) for each in policy.warnings] == [("P107", 7), ("P107", 10)]


# -- lists

LISTS = """
lists:
  near: [US, CA]
  far: {file: far.txt}
rules:
  - {id: near, tools: [issue_refund], when: "order.country in lists.near", permit: true}
  - {id: far, tools: [issue_refund], when: "order.country in lists.far", deny: too_far}
"""


@pytest.mark.parametrize(("country", "wanted"), [("CA", Verdict.PERMIT), ("GB", Verdict.DENY), ("US", Verdict.DENY)])
def test_a_list_is_membership(country: str, wanted: Verdict) -> None:
    policy = load(LISTS, far_txt="# remarks\n\nUS\n  GB  \n")
    assert verdict(policy, order={"country": country}) is wanted


BAD_LISTS: list[tuple[str, str, str]] = [
    ("unknown", LISTS.replace("lists.near", "lists.neer"), "P043"),
    ("somewhere else than after in", LISTS.replace("order.country in lists.near", "size(lists.near) > 1"), "P017"),
    ("a value the fact never has", LISTS.replace("order.country in lists.near", "order.status in lists.near"), "P013"),
    ("empty", LISTS.replace("[US, CA]", "[]"), "P010"),
    ("missing", LISTS.replace("far.txt", "gone.txt"), "P040"),
    ("outside", LISTS.replace("far.txt", "../far.txt"), "P040"),
    ("absolute", LISTS.replace("far.txt", "/etc/hosts"), "P040"),
]


@pytest.mark.parametrize(("text", "code"), [case[1:] for case in BAD_LISTS], ids=[case[0] for case in BAD_LISTS])
def test_a_bad_list_is_refused(text: str, code: str) -> None:
    assert any(f" {code} " in found for found in refused(text, far_txt="US\n"))


HIDDEN = {"a zero-width space": "U\u200bS\n", "a byte order mark": "\ufeffUS\n", "too long a file": "US\n" * 400_000}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_list_that_would_silently_match_less_is_refused(text: str) -> None:
    assert refused(LISTS, far_txt=text)


def test_a_variable_cannot_stand_for_a_named_condition() -> None:
    rule = "  - {id: r, tools: [issue_refund], when: \"calm && customer.tags.exists(calm, calm == 'x')\", permit: true}"
    [found] = refused(f"let: {{calm: 'order.disputed'}}\nrules:\n{rule}\n")
    assert "`calm` already means something else" in found


# -- include

REFUNDS = """
rules:
  - {id: refunds, tools: [issue_refund], when: "order.total > money('10.00')", deny: too_much}
queues: {desk: {reviewers: [a]}}
"""


def test_an_included_file_adds_to_the_policy_whatever_the_order() -> None:
    first = load(f"include: [refunds.yaml]\nrules:\n{BASE}", refunds_yaml=REFUNDS)
    assert {rule.id: rule.place for rule in first.rules} == {"all": "policy.yaml:6", "refunds": "refunds.yaml:3"}
    assert verdict(first) is Verdict.DENY
    assert verdict(first, order={"total": 1000}) is Verdict.PERMIT
    assert first.queue("desk").declared


def test_a_finding_in_an_included_file_names_that_file() -> None:
    [found] = refused(
        f"include: [refunds.yaml]\nrules:\n{BASE}", refunds_yaml=REFUNDS.replace("order.total", "order.totl")
    )
    assert found.startswith("refunds.yaml:3:55 P012")


TWICE: list[tuple[str, str, str]] = [
    ("a rule", BASE.replace("all", "refunds"), "P030"),
    ("a queue", BASE + "queues: {desk: {reviewers: [b]}}\n", "P030"),
]


@pytest.mark.parametrize(("body", "code"), [case[1:] for case in TWICE], ids=[case[0] for case in TWICE])
def test_nothing_overrides_anything(body: str, code: str) -> None:
    assert any(
        f" {code} " in found for found in refused(f"include: [refunds.yaml]\nrules:\n{body}", refunds_yaml=REFUNDS)
    )


BAD_INCLUDES: list[tuple[str, str, dict[str, str]]] = [
    ("a file that is not there", "include: [gone.yaml]", {}),
    ("a file elsewhere", "include: [../refunds.yaml]", {"refunds_yaml": REFUNDS}),
    ("a file twice", "include: [refunds.yaml, refunds.yaml]", {"refunds_yaml": REFUNDS}),
    ("a file that includes", "include: [refunds.yaml]", {"refunds_yaml": "include: [refunds.yaml]"}),
    ("a file with a header", "include: [refunds.yaml]", {"refunds_yaml": "policy: other\n"}),
    ("a file that is no YAML", "include: [refunds.yaml]", {"refunds_yaml": "rules: [\n"}),
]


@pytest.mark.parametrize(("body", "files"), [case[1:] for case in BAD_INCLUDES], ids=[case[0] for case in BAD_INCLUDES])
def test_a_bad_include_is_refused(body: str, files: dict[str, str]) -> None:
    assert refused(f"{body}\nrules:\n{BASE}", **files)


# -- files on disk


def _folder(path: Path) -> Path:
    (path / "rules").mkdir()
    (path / "policy.yaml").write_text(HEAD + LISTS.replace("far.txt", "rules/far.txt") + "include: [rules/more.yaml]\n")
    (path / "rules" / "far.txt").write_text("GB\n")
    (path / "rules" / "more.yaml").write_text("lists: {more: {file: rules/far.txt}}\n")
    return path / "policy.yaml"


def test_a_policy_is_read_with_the_files_beneath_it(tmp_path: Path) -> None:
    policy = load_policy_file(_folder(tmp_path), SURFACES)
    assert verdict(policy, order={"country": "GB"}) is Verdict.DENY


def test_the_digest_covers_every_file(tmp_path: Path) -> None:
    path = _folder(tmp_path)
    before = load_policy_file(path, SURFACES).digest
    (tmp_path / "rules" / "far.txt").write_text("GB\nFR\n")
    assert load_policy_file(path, SURFACES).digest != before


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    path = _folder(tmp_path)
    outside = tmp_path.parent / f"{tmp_path.name}-outside.txt"
    outside.write_text("GB\n")
    (tmp_path / "rules" / "far.txt").unlink()
    (tmp_path / "rules" / "far.txt").symlink_to(outside)
    with pytest.raises(PolicyError, match="P040"):
        load_policy_file(path, SURFACES)


def test_a_packed_policy_reads_back_and_is_its_own_text_without_files(tmp_path: Path) -> None:
    files = gathered(_folder(tmp_path).read_text(), tmp_path)
    assert set(files.others) == {"rules/far.txt", "rules/more.yaml"}
    assert unpacked(files.packed()) == files
    assert Files("policy: p\n").packed() == "policy: p\n"


@pytest.mark.parametrize("text", ["{", "{}", '{"policy": 1, "files": {}}', '{"policy": "x", "files": []}'])
def test_a_damaged_packed_policy_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="damaged"):
        load_policy("# A tillgate policy with the files it includes.\n" + text, "served", SURFACES)


def test_what_is_said_of_a_whole_exception_stands_at_the_exception() -> None:
    rule = '  - {id: r, tools: [issue_refund], when: "order.disputed", unless: "customer.orders >= 0", deny: no}\n'
    policy = load(f"rules:\n{BASE}{rule}")
    [warning] = policy.warnings
    assert (warning.code, warning.column) == ("P102", rule.index("customer.orders") + 1)
