"""The shop the demo runs on, as packaged text; `scripts/make_demo_shop.py` makes it."""

from importlib.resources import files


def demo_shop_text() -> str:
    """A shop file of invented people, as of 2026-11-23T09:00:00Z."""
    return files("tillgate.tools.shops.embedded").joinpath("demo_shop.json").read_text(encoding="utf-8")
