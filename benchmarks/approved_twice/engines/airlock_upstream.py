"""The shop's own MCP server behind mcp-airlock: one tool that refunds. `python -m … PORT BOOKS honours|ignores [keyed]`

Keyed, the tool takes a `request_id` from the agent and gives it to the provider as the key.
"""

import sys
from pathlib import Path

from benchmarks.approved_twice.provider import Books


def main() -> None:
    """Serve until killed."""
    from mcp.server.mcpserver import MCPServer

    port, books, keys, *keyed = sys.argv[1:]
    payments = Books(Path(books), honours=keys == "honours")
    server = MCPServer("shop")

    def issue_refund(order_id: str, amount: str) -> str:
        """Refund an order."""
        return f"refunded {amount}: {payments.refund(order_id, amount, None)}"

    def issue_keyed_refund(order_id: str, amount: str, request_id: str) -> str:
        """Refund an order. The same request_id is the same refund."""
        return f"refunded {amount}: {payments.refund(order_id, amount, request_id)}"

    server.tool(name="issue_refund")(issue_keyed_refund if keyed else issue_refund)
    server.run("streamable-http", port=int(port), json_response=True, stateless_http=True)


if __name__ == "__main__":
    main()
