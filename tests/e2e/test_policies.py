"""Nothing is open by default, and a policy with a mistake is refused whole, at the very place of the mistake."""

import pytest
from e2e.world import CONTEXT, HEAD, QUEUES, JsonObject, World

CALLS: list[tuple[str, JsonObject]] = [
    ("search_products", {"query": "shirt"}),
    ("get_order", {"order_id": "ord_a1"}),
    ("edit_cart", {"lines": [{"variant_id": "v_mug", "quantity": 1}]}),
    ("issue_refund", {"order_id": "ord_a9", "reason": "cold"}),
    ("cancel_order", {"order_id": "ord_a2", "reason": "other"}),
    ("request_human", {"reason": "help"}),
    ("verify_identity", {}),
    ("identify_customer", {"email": "zq-ana.planted@example.com"}),
]


@pytest.mark.parametrize("rules", ["", "rules: []\n", 'rules:\n  - {id: never, tools: "*", deny: no}\n'])
def test_a_policy_without_a_permit_does_nothing(world: World, rules: str) -> None:
    before = world.shop()
    with world.serve("cus_ana", policy=HEAD + rules) as session:
        for tool, arguments in CALLS:
            answer = session.call(tool, **arguments)
            assert (answer.status, answer.envelope["executed"]) == ("denied", False), tool
            assert not answer.data
    assert world.shop() == before
    assert [record["kind"] for record in world.records()].count("call") == len(CALLS)


def test_a_tool_without_a_permit_is_denied_beside_one_with(world: World) -> None:
    rules = "rules:\n  - {id: a, tools: [get_order], permit: true}\n"
    with world.serve("cus_ana", policy=HEAD + rules) as session:
        shown = session.call("get_order", order_id="ord_a1")
        assert (shown.status, shown.data) == ("completed", {}), "a tool without a view shows nothing"
        assert session.call("list_orders").codes == ["no_permit"]


def rule(text: str) -> str:
    return f"{HEAD}{QUEUES}rules:\n  - {text}\n"


def when(condition: str, tools: str = "[issue_refund]") -> str:
    return rule(f'{{id: r, tools: {tools}, when: "{condition}", permit: true}}')


BUDGET = "budgets:\n  - {{id: b, tools: [issue_refund], per: customer.id, window: {window}, limit: {limit}}}\n"
NO_BECAUSE = "risk: {factors: [{id: f, when: 'true', points: 5}], tiers: {medium: 1, high: 2, critical: 3}}\n"
BAD: dict[str, tuple[str, str, str]] = {
    # what: the file, the text the finding must stand at, a word of the help
    "misspelt fact": (when("order.delivered_day <= 30"), "delivered_day ", "delivered_days"),
    "optional fact without a guard": (when("order.delivered_days <= 30"), "order.del", "has("),
    "optional group without a guard": (when("customer.age_days < 3", "[search_products]"), "customer.age", "present"),
    "wrong enum": (when("order.status == 'deliverd'"), "'deliverd'", "delivered"),
    "money against a number": (when("impact.amount > 25"), "25", "money("),
    "three digits of USD": (when("impact.amount > money('25.001')"), "'25.001'", "USD"),
    "another currency": (when("impact.amount > money('25.00 EUR')"), "'25.00 EUR'", "EUR"),
    "unknown tool": (rule("{id: r, tools: [isue_refund], permit: true}"), "isue_refund", "issue_refund"),
    "unknown key": (rule("{id: r, tools: [get_order], deny: no, premit: true}"), "premit", "permit"),
    "unknown queue": (rule("{id: r, tools: [get_order], escalate: refund}"), "refund}", "refunds"),
    "bad level": (rule("{id: r, tools: [get_order], verify: stepped-up}"), "stepped-up", "stepped_up"),
    "bad duration": (rule("{id: r, tools: [get_order], escalate: {queue: refunds, expires: soon}}"), "soon", "24h"),
    "anchor": (rule("&a {id: r, tools: [get_order], permit: true}"), "&a", ""),
    "duplicate key": (HEAD + "version: 2\n", "version: 2", "line 2"),
    "unknown currency": ("policy: t\nversion: 1\ncurrency: usd\n", "usd", "USD"),
    "unquoted money": (HEAD + BUDGET.format(window="30d", limit="200.00"), "200.00", '"200.00"'),
    "bad window": (HEAD + BUDGET.format(window="30 days", limit='"200.00"'), "30 days", "30d"),
    "tiers out of order": (HEAD + "risk: {factors: [], tiers: {medium: 60, high: 30, critical: 85}}\n", "30,", ""),
    "unknown mask": (HEAD + "context:\n  mask: {'*.email': emial}\n", "emial", "email"),
    "unknown level of a view": (HEAD + "context:\n  get_order: {identifed: [id]}\n", "identifed", "identified"),
    "unknown group": (when("ordr.disputed"), "ordr", "order"),
    "tag": (HEAD + "rules: !!python/object/apply:os.system [id]\n", "!!python", ""),
}
MORE: dict[str, tuple[str, str, str]] = {
    "number against money": (when("customer.orders > money('1.00')"), "customer.orders", ""),
    "wrong name of a level": (when("subject.assurance >= IDENTIFED"), "IDENTIFED", "IDENTIFIED"),
    "float": (when("customer.orders > 1.5"), "1.5", ""),
    "null": (when("order.country == null"), "null", ""),
    "regular expression": (when("order.country.matches('U.*')"), "matches", ""),
    "assignment": (when("order.disputed = true"), "= true", "=="),
    "no effect": (rule("{id: r, tools: [get_order]}"), "{id: r", ""),
    "two effects": (rule("{id: r, tools: [get_order], permit: true, deny: no}"), "true, deny", ""),
    "permit false": (rule("{id: r, tools: [get_order], permit: false}"), "false", ""),
    "yaml 1.1 yes": (rule("{id: r, tools: [get_order], permit: yes}"), "yes}", ""),
    "unknown consent": (rule("{id: r, tools: [get_order], confirm: custommer}"), "custommer", "customer"),
    "zero approvals": (rule("{id: r, tools: [get_order], escalate: {queue: refunds, approvals: 0}}"), "0}", ""),
    "alias": (HEAD + "rules: *a\n", "*a", ""),
    "merge": (HEAD + "queues:\n  <<: {refunds: {reviewers: [a]}}\n", "<<", ""),
    "no currency": ("policy: t\nversion: 1\n", "policy", "currency"),
    "unknown mode": (HEAD + "mode: enforced\n", "enforced", "enforce"),
    "negative count": (HEAD + BUDGET.format(window="30d", limit="{count: -1}"), "-1", ""),
    "digits of a limit": (HEAD + BUDGET.format(window="30d", limit='"200.001"'), '"200.001"', ""),
    "factor without because": (HEAD + NO_BECAUSE, "{id: f", "because"),
    "view of an unknown tool": (HEAD + "context:\n  get_odrer: {identified: [id]}\n", "get_odrer", "get_order"),
    "unknown outcome": (
        HEAD + "invariants:\n  - {tools: [issue_refund], when_outcome: complete, then: 'true'}\n",
        "complete,",
        "completed",
    ),
    "budget kept by nothing": (
        HEAD + BUDGET.format(window="30d", limit="{count: 3}").replace("r.id", "r.idd"),
        "customer.idd",
        "id",
    ),
    "tab": (HEAD + "rules:\n\t- {}\n", "\t", ""),
    "bidirectional character": (HEAD + "# \u202e hidden\n", "\u202e", "U+202E"),
    "two documents": (HEAD + "---\npolicy: b\n", "---", ""),
}


def place(text: str, mark: str) -> str:
    """Line and column of a text, from 1."""
    before = text[: text.index(mark)]
    return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))} "


def misplaced(world: World, cases: dict[str, tuple[str, str, str]]) -> list[str]:
    """What is wrong with how each file is refused; several checks run side by side."""
    wrong: list[str] = []
    names = list(cases)
    for start in range(0, len(names), 6):
        chunk = names[start : start + 6]
        for number, name in enumerate(chunk):
            (world.path / f"bad{number}.yaml").write_text(cases[name][0], "utf-8")
        running = [world.start("policy", "check", f"bad{number}.yaml") for number in range(len(chunk))]
        for number, (name, process) in enumerate(zip(chunk, running, strict=True)):
            out, err = process.communicate(timeout=60)
            text, mark, hint = cases[name]
            said = err.decode()
            found = f"bad{number}.yaml{place(text, mark)}" in said and hint in said and "^" in said
            if process.returncode != 3 or not found or out.strip() or "Traceback" in said:
                wrong.append(f"{name}: exit {process.returncode}, not at{place(text, mark)}\n{out.decode()}{said}")
    return wrong


def test_every_mistake_is_named_where_it_is(shared: World) -> None:
    wrong = misplaced(shared, BAD)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.long
def test_every_other_mistake_is_named_where_it_is(shared: World) -> None:
    wrong = misplaced(shared, MORE)
    assert wrong == [], "\n".join(wrong)


def test_all_mistakes_of_a_file_are_listed_and_the_server_refuses_too(shared: World) -> None:
    text = (
        HEAD + QUEUES + "rules:\n"
        "  - {id: a, tools: [isue_refund], permit: true}\n"
        "  - {id: b, tools: [get_order], when: \"order.statos == 'pending'\", permit: true}\n"
        "  - {id: c, tools: [get_order], verify: stepped}\n"
        "risk: {factors: [], tiers: {medium: 3, high: 2, critical: 1}}\n"
    )
    (shared.path / "several.yaml").write_text(text, "utf-8")
    running = [
        shared.start("policy", "check", "several.yaml"),
        shared.start("serve", "--policy", "several.yaml"),
        shared.start("requests", "approve", "esc_x", "--as", "anna", "--policy", "several.yaml"),
        shared.start("serve", "--policy", "missing.yaml"),
    ]
    done = [(process.communicate(timeout=60), process.returncode) for process in running]
    for (_, err), code in done[:3]:
        assert code == 3
        for mark in ("isue_refund", "statos", "stepped}", "2,"):
            assert f"several.yaml{place(text, mark)}" in err.decode()
    assert done[3][1] == 3
    assert b"missing.yaml" in done[3][0][1]
    assert b"Traceback" not in b"".join(err for (_, err), _ in done)


def test_a_policy_of_another_currency_than_the_shop_is_refused(shared: World) -> None:
    (shared.path / "yen.yaml").write_text("policy: t\nversion: 1\ncurrency: JPY\n" + CONTEXT, "utf-8")
    done = shared.run("serve", "--policy", "yen.yaml")
    assert (done.returncode, b"JPY" in done.stderr, b"USD" in done.stderr) == (3, True, True)
