"""A client of the corner shop: starts `tillgate serve` for one customer, makes seven calls and prints how each ended.

Run `python examples/quickstart/try_it.py corner.db` after `tillgate seed examples/quickstart/shop.json --db corner.db`.
"""

import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters

HERE = Path(__file__).parent


def server(db: str) -> StdioServerParameters:
    """Tillgate with this policy, for one signed-in customer; its clock stands at a day when the orders are new."""
    flags = ["--db", db, "--policy", str(HERE / "policy.yaml"), "--customer", "cus_1", "--assurance", "authenticated"]
    script = Path(sys.executable).with_name("tillgate")
    return StdioServerParameters(
        command=str(script), args=["serve", *flags], env={**os.environ, "TILLGATE_NOW": "2026-01-20T09:00:00Z"}
    )


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """One call, printed with its ending and the rules behind it."""
    outcome = (await client.call_tool(tool, arguments)).structured_content or {}
    why = ", ".join(reason.get("rule") or reason["code"] for reason in outcome["reasons"])
    shown = f"{tool} {arguments.get('order_id', '')} {arguments.get('amount', '')}".strip()
    print(f"{shown:<26}{outcome['status']:<24}{why}".rstrip())  # noqa: T201
    return outcome


async def main() -> None:
    """Seven calls."""
    async with Client(server(sys.argv[1])) as client:
        await call(client, "get_order", order_id="ord_1")
        small = {"order_id": "ord_1", "amount": "12.00", "reason": "a loose seam"}
        asked = await call(client, "issue_refund", **small)
        await call(client, "issue_refund", **small, confirmation_token=asked["confirmation"]["token"])
        await call(client, "issue_refund", order_id="ord_1", amount="40.00", reason="a loose seam")
        await call(client, "issue_refund", order_id="ord_2", reason="a loose seam")
        await call(client, "get_order", order_id="ord_9")
        await call(client, "edit_cart", lines=[{"variant_id": "v_1", "quantity": 1}])


if __name__ == "__main__":
    anyio.run(main)
