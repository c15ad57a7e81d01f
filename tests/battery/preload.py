"""Imported by the process that the others are forked from: what takes long is done once."""

from battery.stage import POLICY, read
from battery.worker import work

__all__ = ["work"]

read(POLICY)
