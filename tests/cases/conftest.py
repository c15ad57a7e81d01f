"""The same shop as the acceptance tests."""

from e2e.conftest import seeded, shared, world

__all__ = ["seeded", "shared", "world"]
