"""Plays calls of the tau-bench retail domain through a real gate, as native tools and with a simulated customer.

A call is put into the words of the native tools and nothing of it is left out: what cannot be matched (an item that is
not on the order, a pair without its other half) becomes a line or variant that does not exist.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from worlds import SeededMinter, TestClock, World, policy

from tillgate.guards.desk import Caller
from tillgate.guards.gate import Gate
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.outcome import Outcome
from tillgate.server.app import tool_map
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.seed import seed

ROOT = Path(__file__).parents[2]
TAU = ROOT.parent / "shared" / "tau"
POLICY = ROOT / "examples" / "tau_retail" / "policy.yaml"
NOW = datetime(2026, 1, 15, tzinfo=UTC)
NOTHING = "no-such-id"
"""Stands for what a call leaves open or what nobody knows: the new item of an old one that was given none."""

Json: TypeAlias = Mapping[str, Any]
Native: TypeAlias = tuple[str, dict[str, Any]]

LOOK_UPS = ("find_user_id_by_email", "find_user_id_by_name_zip")
WITHOUT_NATIVE = ("calculate", "think")
"""Arithmetic and thinking act on nothing, so no tool of a shop stands for them."""
_REASONS = {"no longer needed": "no_longer_needed", "ordered by mistake": "ordered_by_mistake"}
_FIELDS = {"address1": "line1", "address2": "line2", "city": "city", "state": "region", "zip": "postal_code"}


@dataclass(frozen=True)
class Call:
    """One call in tau's own words."""

    tool: str
    arguments: Json


@dataclass(frozen=True)
class Played:
    """What became of a call: an outcome's status, or `replayed`, `skipped`, or `unsayable` (no native words for it)."""

    verb: str
    codes: tuple[str, ...] = ()
    outcome: Outcome | None = None

    @property
    def executed(self) -> bool:
        return self.verb == "completed"


@dataclass(frozen=True)
class Shop:
    """The seed data as the adapter needs it; `file` is a store that was filled with it."""

    data: Json
    file: Path

    @property
    def emails(self) -> Mapping[str, str]:
        return {customer["id"]: customer["email"] for customer in self.data["customers"]}


def cases(name: str) -> list[Json]:
    """The lines of one file of cases."""
    return [json.loads(line) for line in (TAU / f"{name}.jsonl").read_text("utf-8").splitlines()]


def seeded(folder: Path) -> Shop:
    """The shop of the benchmark in a store of its own."""
    text, file = (TAU / "shop.json").read_text("utf-8"), folder / "seeded.db"
    store = SqliteStore(file, TestClock(NOW), SeededMinter())
    with store.transaction() as desk:
        seed(desk.sql, text, now=NOW)
    store.close()
    return Shop(json.loads(text), file)


class Talk:
    """One conversation with one copy of the shop."""

    def __init__(self, shop: Shop, folder: Path, text: str | None = None) -> None:
        self.shop = shop
        path, clock, minter = folder / "talk.db", TestClock(NOW), SeededMinter()
        for left in folder.glob("talk.db*"):
            left.unlink()
        shutil.copyfile(shop.file, path)
        store = SqliteStore(path, clock, minter)
        rules = _policy(text or POLICY.read_text("utf-8"))
        caller = Caller(Agent("agent", "stdio"), "stdio:tau", "talk", None, Assurance.ANONYMOUS, NOW)
        self.world = World(Gate(tool_map(), rules, store, minter), store, clock, caller)

    def close(self) -> None:
        self.world.store.close()

    def identify(self, user_id: str) -> None:
        """The customer gives the e-mail address on file."""
        self.world.call("identify_customer", email=self.shop.emails[user_id])

    def play(self, call: Call, *, confirmed: bool = True, agreed: Json | None = None) -> Played:
        """Send a call; a customer who is asked says yes if `confirmed`, and only to `agreed` where that is given."""
        if agreed is not None and agreed != call.arguments:
            return self._with_another_yes(call, agreed)
        first = self.send(call)
        token = _token(first)
        return self.send(call, token) if token and confirmed else first

    def send(self, call: Call, token: str | None = None) -> Played:
        """Send a call once."""
        if call.tool in WITHOUT_NATIVE:
            return Played("skipped")
        if self._of_somebody_else(call):
            return Played("unsayable")
        tool, arguments = NATIVE[call.tool](self, call.arguments)
        return _played(self.world.call(tool, **arguments, **({"confirmation_token": token} if token else {})))

    def lines(self, order_id: str) -> dict[str, list[str]]:
        """Line ids of an order by the variant that is on them now; empty for an order that does not exist."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for line, variant in self.world.rows(
            "SELECT id, variant_id FROM order_line WHERE order_id = ? ORDER BY rowid", order_id
        ):
            found[variant].append(line)
        return found

    @property
    def customer(self) -> str | None:
        """Whom this conversation is bound to."""
        found = self.world.rows("SELECT customer_id FROM conversation")
        return found[0][0] if found else None

    def _with_another_yes(self, call: Call, agreed: Json) -> Played:
        """The model asks for one thing, is told yes, and uses that yes for another; then it asks for the other."""
        asked = self.send(Call(call.tool, agreed))
        token = _token(asked)
        tried = [asked, *([self.send(call, token)] if token else []), self.send(call)]
        return next((played for played in tried if played.executed), tried[-1])

    def _of_somebody_else(self, call: Call) -> bool:
        """Profile tools name no customer: another one's can be neither read nor changed, whatever is sent."""
        named = call.arguments.get("user_id")
        return named is not None and self.customer is not None and named != self.customer


def _policy(text: str, _known: dict[str, Any] = {}) -> Any:  # noqa: B006  one load a run
    if text not in _known:
        _known[text] = policy(text)
    return _known[text]


def _token(played: Played) -> str | None:
    asked = played.outcome and played.outcome.confirmation
    return asked.token if asked else None


def _played(outcome: Outcome) -> Played:
    codes = tuple(reason.code for reason in outcome.reasons)
    acted = outcome.status != "completed" or (outcome.executed and not outcome.replayed)
    return Played(outcome.status if acted else "replayed", codes, outcome)


def _address(arguments: Json) -> dict[str, Any]:
    """Field by field; a second line that is left empty is none."""
    address = {native: arguments[name] for name, native in _FIELDS.items()}
    if not address["line2"]:
        del address["line2"]
    return {**address, "country": "US" if arguments["country"] == "USA" else arguments["country"]}


def _taken(talk: Talk, order_id: str, items: Sequence[str | None]) -> Iterator[str]:
    """A line of the order for each item, each line once; an item that finds none names a line that does not exist."""
    left = talk.lines(order_id)
    for number, item in enumerate(items):
        yield left[item].pop(0) if item and left.get(item) else f"{order_id}-none-{number}"


def _swap(tool: str) -> Callable[[Talk, Json], Native]:
    def native(talk: Talk, arguments: Json) -> Native:
        old: list[str] = arguments["item_ids"]
        given: list[str] = arguments["new_item_ids"]
        pairs: list[tuple[str | None, str | None]] = list(zip_longest(old, given))
        named = _taken(talk, arguments["order_id"], [item for item, _ in pairs])
        lines = [
            {"line_id": line, "new_variant_id": new or NOTHING} for line, (_, new) in zip(named, pairs, strict=True)
        ]
        method = arguments["payment_method_id"]
        return tool, {"order_id": arguments["order_id"], "lines": lines, "payment_method_id": method}

    return native


def _return(talk: Talk, arguments: Json) -> Native:
    named = _taken(talk, arguments["order_id"], arguments["item_ids"])
    return "return_items", {
        "order_id": arguments["order_id"],
        "lines": [{"line_id": line, "quantity": 1} for line in named],
        "reason": "not said",
        "refund_method": arguments["payment_method_id"],
    }


def _item(talk: Talk, arguments: Json) -> Native:
    """The product an item is of; an item nobody knows is of a product that does not exist (a product id is no item)."""
    product = next(
        (
            product["id"]
            for product in talk.shop.data["products"]
            if any(variant["id"] == arguments["item_id"] for variant in product["variants"])
        ),
        NOTHING,
    )
    return "get_product", {"product_id": product}


NATIVE: Mapping[str, Callable[[Talk, Json], Native]] = {
    "find_user_id_by_email": lambda _, a: ("identify_customer", {"email": a["email"]}),
    "find_user_id_by_name_zip": lambda _, a: (
        "identify_customer",
        {"first_name": a["first_name"], "last_name": a["last_name"], "postal_code": a["zip"]},
    ),
    "get_user_details": lambda _, a: ("get_customer", {}),
    "get_order_details": lambda _, a: ("get_order", {"order_id": a["order_id"]}),
    "get_product_details": lambda _, a: ("get_product", {"product_id": a["product_id"]}),
    "get_item_details": _item,
    "list_all_product_types": lambda _, a: ("search_products", {"limit": 50}),
    "transfer_to_human_agents": lambda _, a: ("request_human", {"reason": a["summary"][:500]}),
    "cancel_pending_order": lambda _, a: (
        "cancel_order",
        {"order_id": a["order_id"], "reason": _REASONS.get(a["reason"], "other")},
    ),
    "modify_pending_order_address": lambda _, a: (
        "update_address",
        {"order_id": a["order_id"], "address": _address(a)},
    ),
    "modify_user_address": lambda _, a: ("update_address", {"address": _address(a)}),
    "modify_pending_order_payment": lambda _, a: ("change_payment_method", dict(a)),
    "modify_pending_order_items": _swap("change_order_items"),
    "return_delivered_order_items": _return,
    "exchange_delivered_order_items": _swap("exchange_items"),
}
