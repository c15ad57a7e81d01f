"""Every mistake in a policy is found when it is loaded, at the very place where it was made."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.guards.facts import ToolSurface
from tillgate.guards.policy.diagnostics import Diagnostic, PolicyError
from tillgate.guards.policy.load import load_policy, load_policy_file

EXAMPLE = (Path(__file__).parent / "storefront.yaml").read_text()

HEAD = "policy: test\nversion: 1\ncurrency: USD\n"


def when(condition: str, tools: str = "[issue_refund]") -> str:
    """A policy of one rule; the condition begins at 5:12 and is double-quoted."""
    return f'{HEAD}rules:\n - {{when: "{condition}", id: r, tools: {tools}, deny: no_way}}\n'


# Each case: name, text, the findings as (line:column code), words the first finding must hold.
CASES: list[tuple[str, str, list[str], str]] = [
    ("a misspelt fact", when("order.delivered_day <= 30"), ["5:18 P012"], "did you mean `delivered_days`?"),
    ("an unknown group", when("ordr.total > money('1.00')"), ["5:12 P024"], "did you mean `order`?"),
    ("a wrong enum value", when("order.status == 'deliverd'"), ["5:28 P013"], "did you mean `delivered`?"),
    ("a wrong enum value in a list", when("order.status in ['shipped', 'lost']"), ["5:40 P013"], "'lost' is never"),
    ("a wrong value on the left", when("'x' == order.method_kind"), ["5:12 P013"], "'x' is never"),
    ("a tool that does not exist", when("call.tool == 'get_ordr'"), ["5:25 P013"], "did you mean `get_order`?"),
    ("money against a number", when("impact.amount > 20"), ["5:28 P014"], "write money('20.00')"),
    ("a number against money", when("customer.age_days > money('3.00')"), ["5:12 P014"], "money"),
    ("money plus a number", when("impact.amount + 5 > money('1.00')"), ["5:28 P014"], "money adds to money only"),
    ("an optional fact unguarded", when("order.delivered_days < 3"), ["5:12 P015"], "has(order.delivered_days) && …"),
    (
        "a guard on the wrong side",
        when("!has(order.delivered_days) && order.delivered_days < 3"),
        ["5:42 P015"],
        "guard",
    ),
    (
        "a guard that is not on every path",
        when("(order.disputed || has(order.delivered_days)) && order.delivered_days < 3"),
        ["5:61 P015"],
        "optional",
    ),
    ("an optional argument unguarded", when("args.amount > money('1.00')"), ["5:12 P015"], "has(args.amount)"),
    ("an optional part of an optional record", when("has(args.address.line2)"), ["5:16 P015"], "has(args.address)"),
    (
        "an optional part behind the guard of the whole",
        when("has(args.address) && args.address.line2 == ''"),
        ["5:33 P015"],
        "has(args.address.line2)",
    ),
    ("an optional part of a list's record", when("args.lines.exists(l, l.note == 'x')"), ["5:33 P015"], "has(l.note)"),
    (
        "a group that may be absent",
        when("customer.age_days < 3", "[search_products]"),
        ["5:12 P016"],
        "`customer` may be absent for `search_products`",
    ),
    (
        "a group absent for one of several tools",
        when("order.disputed", "[issue_refund, update_address]"),
        ["5:12 P016"],
        "update_address",
    ),
    ("a condition that is a number", when("customer.age_days"), ["5:12 P018"], "true or false"),
    ("a condition that is money", when("order.disputed && impact.amount"), ["5:30 P018"], "money"),
    ("a group as a value", when("order == 'x'"), ["5:12 P017"], "a group of facts"),
    ("text that has an order", when("order.country < 'US'"), ["5:12 P017"], "no order"),
    ("text against a number", when("order.country == 3"), ["5:12 P017"], "cannot compare text with a number"),
    ("a quoted level", when("subject.assurance >= 'IDENTIFIED'"), ["5:33 P017"], "write IDENTIFIED without quotes"),
    ("a misspelt level", when("subject.assurance >= IDENTIFED"), ["5:33 P013"], "did you mean `IDENTIFIED`?"),
    ("a level of something else", when("risk.tier == IDENTIFIED"), ["5:25 P013"], "not one of its levels"),
    ("a float", when("customer.age_days < 1.5"), ["5:32 P019"], "fraction"),
    ("a pattern", when("order.country.matches('U.')"), ["5:26 P019"], "startsWith"),
    ("an index", when("args.lines[0].quantity > 1"), ["5:22 P019"], "exists"),
    ("null", when("order.country == null"), ["5:29 P019"], "has("),
    ("python's words", when("order.disputed and true"), ["5:27 P020"], "write `&&`"),
    ("a single equals sign", when("order.country = 'US'"), ["5:26 P020"], "compare with `==`"),
    ("a string that does not end", when("order.country == 'US"), ["5:29 P020"], "does not end"),
    ("a country there is none of", when("order.country in ['GB', 'UK']"), ["5:36 P013"], "never a value"),
    ("a number the fact never is", when("customer.returns_percent > 500"), ["5:12 P013"], "is from 0 to 100"),
    ("a number the fact is always below", when("customer.returns_percent <= 500"), ["5:12 P013"], "always true"),
    ("a number just out of reach", when("customer.returns_percent > 100"), ["5:12 P013"], "never true"),
    ("a number in a list", when("customer.returns_percent in [50, 500]"), ["5:45 P013"], "is from 0 to 100"),
    ("less than nothing", when("customer.age_days < 0"), ["5:12 P013"], "never true"),
    ("a level above the highest", when("risk.tier > CRITICAL"), ["5:12 P013"], "never true"),
    ("a blank at the end", when("customer.id == 'cus_1 '"), ["5:27 P027"], "begins or ends with a blank"),
    ("a blank at the beginning", when("' vip' in customer.tags"), ["5:12 P027"], "write 'vip'"),
    ("a no-break space", when("args.order_id == 'a\u00a0b'"), ["5:31 P006"], "U+00A0"),
    ("a filler", when("args.order_id == 'a\u3164b'"), ["5:31 P006"], "U+3164"),
    ("a condition that stops", when("order.disputed &&"), ["5:28 P020"], "missing"),
    ("a bracket too many", when("order.disputed)"), ["5:26 P020"], "expected"),
    ("a malformed amount", when("impact.amount > money('25.001')"), ["5:34 P023"], "USD"),
    ("another currency", when("impact.amount > money('25.00 EUR')"), ["5:34 P023"], "this policy is in USD, not EUR"),
    (
        "days in a CEL duration",
        when("now - timestamp('2026-01-01T00:00:00Z') > duration('30d')"),
        ["5:63 P023"],
        "hours",
    ),
    ("an impossible day", when("now > timestamp('2026-02-30T00:00:00Z')"), ["5:28 P023"], "not a time"),
    ("a product of facts", when("customer.orders * customer.disputes > 3"), ["5:12 P019"], "whole number"),
    ("division by zero", when("customer.orders / 0 > 3"), ["5:30 P022"], "division by zero"),
    ("an overflow", when("customer.orders * 9000 > 3"), ["5:12 P022"], "overflow"),
    (
        "a variable that hides a group",
        when("customer.tags.exists(order, order == 'x')"),
        ["5:33 P017"],
        "something else",
    ),
    (
        "three quantifiers",
        when("args.lines.exists(a, args.lines.exists(b, args.lines.exists(c, true)))"),
        ["5:65 P021"],
        "quantifiers",
    ),
    ("usage of an unknown budget", when("usage.weekly.count > 3"), ["5:18 P012"], "unknown budget"),
    (
        "an argument of another tool",
        when("args.lines.size() > 3", "[issue_refund, cancel_order]"),
        ["5:17 P012"],
        "`cancel_order` has no argument `args.lines`",
    ),
    ("a group no named tool has", when("cart.present", "[cancel_order]"), ["5:12 P025"], "applies to no tool"),
    (
        "two mistakes in one condition",
        when("order.totl > 3 && order.status == 'x'"),
        ["5:18 P012", "5:46 P013"],
        "total",
    ),
    ("an unknown tool", HEAD + "rules:\n  - {id: a, tools: [get_ordr], permit: true}\n", ["5:21 P031"], "`get_order`"),
    ("an unknown key", HEAD + "rules:\n  - {id: a, tool: [get_order], permit: true}\n", ["5:5 P009", "5:13 P008"], ""),
    ("an unknown section", HEAD + "rule: []\n", ["4:1 P008"], "did you mean `rules`?"),
    ("nothing required", "mode: enforce\n", ["1:1 P009", "1:1 P009", "1:1 P009"], "no `currency`"),
    ("a rule that does nothing", HEAD + "rules:\n  - {id: a, tools: [get_order]}\n", ["5:5 P039"], "does nothing"),
    (
        "a rule that does two things",
        HEAD + "rules:\n  - {id: a, tools: [get_order], permit: true, deny: x}\n",
        ["5:41 P039"],
        "deny and permit",
    ),
    (
        "permit: false",
        HEAD + "rules:\n  - {id: a, tools: [get_order], permit: false}\n",
        ["5:41 P011"],
        "denied by default",
    ),
    ("permit: yes", HEAD + "rules:\n  - {id: a, tools: [get_order], permit: yes}\n", ["5:41 P011"], "only be true"),
    (
        "an unknown level",
        HEAD + "rules:\n  - {id: a, tools: [get_order], verify: stepped}\n",
        ["5:41 P011"],
        "stepped_up",
    ),
    (
        "a second rule of one id",
        HEAD + "rules:\n  - {id: a, tools: [get_order], permit: true}\n  - {id: a, tools: [get_order], deny: x}\n",
        ["6:10 P030"],
        "second rule",
    ),
    ("no tools", HEAD + "rules:\n  - {id: a, tools: [], permit: true}\n", ["5:20 P010"], "empty"),
    (
        "a tool outside a list",
        HEAD + "rules:\n  - {id: a, tools: get_order, permit: true}\n",
        ["5:20 P010"],
        "[get_order]",
    ),
    (
        "an undeclared queue",
        HEAD + "queues: {refunds: {reviewers: [desk]}}\nrules:\n  - {id: a, tools: [get_order], escalate: refund}\n",
        ["6:43 P032"],
        "did you mean `refunds`?",
    ),
    ("a queue without reviewers", HEAD + "queues: {refunds: {reviewers: []}}\n", ["4:31 P010"], "empty"),
    (
        "an unquoted amount",
        HEAD + "budgets:\n  - {id: b, tools: [issue_refund], per: customer.id, window: 30d, limit: 200.00}\n",
        ["5:74 P036"],
        'quote it: "200.00"',
    ),
    (
        "a window without a unit",
        HEAD + "budgets:\n  - {id: b, tools: [issue_refund], per: customer.id, window: '30', limit: {count: 3}}\n",
        ["5:62 P035"],
        "30d",
    ),
    (
        "a budget kept by nothing",
        HEAD + "budgets:\n  - {id: b, tools: [issue_refund], per: customer.idd, window: 30d, limit: {count: 3}}\n",
        ["5:41 P037"],
        "did you mean `id`?",
    ),
    (
        "a budget kept by what a tool never has",
        HEAD + "budgets:\n  - {id: b, tools: [list_orders], per: order.id, window: 30d, limit: {count: 3}}\n",
        ["5:40 P037"],
        "never has `order`",
    ),
    (
        "a factor that uses risk",
        HEAD + "risk:\n  factors:\n    - {id: f, when: 'risk.score > 3', points: 5, because: x}\n"
        "  tiers: {medium: 1, high: 2, critical: 3}\n",
        ["6:22 P033"],
        "cannot be used here",
    ),
    (
        "tiers that do not rise",
        HEAD + "risk: {factors: [], tiers: {medium: 30, high: 30, critical: 85}}\n",
        ["4:47 P034"],
        "above medium",
    ),
    (
        "a malformed view path",
        HEAD + "context: {get_order: {identified: [id, 'lines[0].title']}}\n",
        ["4:40 P038"],
        "a[].b",
    ),
    ("a view of no lower level", HEAD + "context: {get_order: {identified: ['*authenticated']}}\n", ["4:36 P038"], ""),
    (
        "an invariant that is not a condition",
        HEAD + "invariants:\n  - {tools: [issue_refund], when_outcome: completed, then: impact.amount}\n",
        ["5:60 P018"],
        "",
    ),
    (
        "an unknown outcome",
        HEAD + "invariants:\n  - {tools: [issue_refund], when_outcome: complete, then: 'true'}\n",
        ["5:43 P011"],
        "completed",
    ),
    ("an unknown currency", "policy: t\nversion: 1\ncurrency: USDD\n", ["3:11 P011"], "did you mean `USD`?"),
    ("a version that is text", "policy: t\nversion: '1'\ncurrency: USD\n", ["2:10 P010"], "whole number"),
    ("a duplicate key", HEAD + "version: 2\n", ["4:1 P002"], "first on line 2"),
    (
        "a duplicate key inside",
        HEAD + "rules:\n  - {id: a, tools: [get_order], permit: true, id: b}\n",
        ["5:47 P002"],
        "",
    ),
    ("an anchor", HEAD + "rules: &all []\n", ["4:8 P003"], "&all"),
    ("an alias", HEAD + "rules: *all\n", ["4:8 P003"], "*all"),
    ("a merge key", HEAD + "queues:\n  <<: {}\n", ["5:3 P003", "5:7 P009"], "merge"),
    ("a tag", HEAD + "rules: !!python/object/apply:os.system []\n", ["4:8 P004"], "tags"),
    ("a second document", HEAD + "---\npolicy: other\n", ["4:1 P005"], "second document"),
    ("a tab", HEAD + "rules:\n\t- {}\n", ["5:1 P006"], "spaces"),
    ("an invisible character", HEAD + "# \u202e\n", ["4:3 P006"], "U+202E"),
    ("a bracket that does not close", HEAD + "rules: [\n", ["5:1 P001"], "not YAML"),
    ("an empty file", "", ["1:1 P009"], "empty"),
    ("a list as a policy", "- a\n", ["1:1 P010", "1:1 P009"][:1], "mapping"),
]


@pytest.mark.parametrize(("text", "found", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_found_where_it_was_made(
    text: str, found: list[str], words: str, surfaces: tuple[ToolSurface, ...]
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, "policy.yaml", surfaces)
    diagnostics = caught.value.diagnostics
    assert [f"{d.line}:{d.column} {d.code}" for d in diagnostics] == found, str(caught.value)
    assert words in str(diagnostics[0])


def test_a_finding_shows_its_line_carets_and_a_mend(surfaces: tuple[ToolSurface, ...]) -> None:
    text = HEAD + 'rules:\n  - id: a\n    tools: [issue_refund]\n    deny: x\n    when: "order.delivered_day <= 30"\n'
    with pytest.raises(PolicyError) as caught:
        load_policy(text, "policy.yaml", surfaces)
    assert str(caught.value).splitlines() == [
        "policy.yaml:8:18  P012  unknown fact `order.delivered_day`",
        '   8 |     when: "order.delivered_day <= 30"',
        "     |                  ^^^^^^^^^^^^^ help: did you mean `delivered_days`? known: "
        "id, customer_id, status, total, captured, refunded, refundable, refunded_percent, …",
        "     = docs/diagnostics.md#p012",
    ]


def test_all_findings_are_told_at_once_in_order_of_place(surfaces: tuple[ToolSurface, ...]) -> None:
    text = HEAD + (
        "rules:\n"
        "  - {id: a, tools: [nowhere], permit: true}\n"
        "  - {id: b, tools: [issue_refund], when: 'order.x && impact.amount > 3', deny: x}\n"
        "budgets:\n  - {id: c, tools: [issue_refund], per: nothing.id, window: 1d, limit: '1.00'}\n"
    )
    with pytest.raises(PolicyError) as caught:
        load_policy(text, "policy.yaml", surfaces)
    assert [(d.line, d.code) for d in caught.value.diagnostics] == [(5, "P031"), (6, "P012"), (6, "P014"), (8, "P037")]


BEGIN = "rules:\n- id: a\n  tools: [issue_refund]\n  deny: x\n  when: "

# A wrong member of a condition, in every way YAML can write one: (text after HEAD, line, column).
POSITIONS: list[tuple[str, str, int, int]] = [
    ("plain", BEGIN + "order.nope\n", 8, 15),
    ("single quoted", BEGIN + "'order.id == ''x'' && order.nope'\n", 8, 37),
    ("escapes", BEGIN + '"order.id == \\"\\u0041\\" && order.nope"\n', 8, 42),
    ("literal", BEGIN + "|\n    order.disputed &&\n      order.nope\n", 10, 13),
    ("folded", BEGIN + ">-\n    order.disputed\n    && order.nope\n", 10, 14),
    ("several plain lines", BEGIN + "order.disputed\n    && order.nope\n", 9, 14),
    ("several quoted lines", BEGIN + '"order.disputed\n\n    && \\\n    order.nope"\n', 11, 11),
    (
        "windows line ends",
        "rules:\r\n- id: a\r\n  tools: [issue_refund]\r\n  deny: x\r\n  when: |\r\n    true &&\r\n    order.nope\r\n",
        10,
        11,
    ),
    (
        "letters beyond ASCII",
        "rules:\n- {id: a, tools: [issue_refund], message: 'déjà 😀 vu', deny: x, when: order.nope}\n",
        5,
        77,
    ),
]


@pytest.mark.parametrize(("body", "line", "column"), [p[1:] for p in POSITIONS], ids=[p[0] for p in POSITIONS])
def test_a_place_in_a_condition_maps_back_to_the_file(
    body: str, line: int, column: int, surfaces: tuple[ToolSurface, ...]
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(HEAD + body, "policy.yaml", surfaces)
    (found,) = caught.value.diagnostics
    assert (found.code, found.line, found.column) == ("P012", line, column), str(found)
    assert found.excerpt[found.column - 1 :].startswith("nope")
    assert found.span == 4


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("(" * 40 + "true" + ")" * 40, "P021"),
        ("!" * 60 + "true", "P021"),
        ("1" + "+1" * 500 + " > 1", "P021"),
        ("true" + " && true" * 300, "P021"),
        ("[" * 900, "P021"),
        ("true ? true : " * 100 + "true", "P021"),
    ],
)
def test_a_condition_that_is_too_long_or_too_deep_is_refused(
    condition: str, code: str, surfaces: tuple[ToolSurface, ...]
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(when(condition), "policy.yaml", surfaces)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_a_file_that_is_too_large_or_not_text_is_refused(tmp_path: Path, surfaces: tuple[ToolSurface, ...]) -> None:
    path = tmp_path / "policy.yaml"
    for content, words in (
        (b"# " + b"x" * 1_100_000, "larger than"),
        (b"policy: \xff", "not UTF-8"),
        (None, "cannot read"),
    ):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        with pytest.raises(PolicyError, match=words):
            load_policy_file(path, surfaces)


@pytest.mark.parametrize(
    "text", ["{" * 200, "[" * 200, "- " * 200 + "a", "a: " * 3, "&a" * 99, "\x00", "%YAML 9.9\n---\na"]
)
def test_hostile_text_is_refused_with_a_place_and_never_a_crash(text: str, surfaces: tuple[ToolSurface, ...]) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, "policy.yaml", surfaces)
    assert all(d.line >= 1 and d.column >= 1 for d in caught.value.diagnostics)


SPLINTERS = (
    "",
    " ",
    "\n",
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "|",
    "&a ",
    "*a",
    "!x ",
    "#",
    "\\",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "?",
    "money('",
    "has(",
    ".",
    "é",
    "\r",
    "\ud800",
    "0x1",
    "1.5",
    "null",
    "~",
    "in",
    "exists(x, ",
    "customer.",
)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_a_damaged_policy_is_refused_with_places_inside_the_file(seed: int, surfaces: tuple[ToolSurface, ...]) -> None:
    chance = random.Random(seed)
    text = EXAMPLE
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text))
        text = text[:start] + chance.choice(SPLINTERS) + text[start + chance.choice((0, 0, 1, 3, 12)) :]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for found in findings_of(text, surfaces):
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1


def findings_of(text: str, surfaces: tuple[ToolSurface, ...]) -> tuple[Diagnostic, ...]:
    try:
        return load_policy(text, "policy.yaml", surfaces).warnings
    except PolicyError as refused:
        return refused.diagnostics
