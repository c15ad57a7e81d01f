"""Failures, by who can mend them. Refusals are values (`Decision`, `Outcome`), never exceptions.

TillgateError
├── ConfigurationError        the operator must mend a file or a setting; exit 3
│   ├── PolicyError           policy.yaml, with every finding at its line and column
│   └── SeedError             a shop file, with the path of each finding
├── Stale                     a record changed under a plan: nothing was done, decide anew
├── Unavailable               the store cannot take or keep a transaction now: nothing was done, try again later
│   ├── Busy                  too much waits already: refused before anything was written
│   └── Unsure                a commit failed: whether it was kept shows at the next look
└── IntegrityError            the audit log or the store cannot be trusted: stop; exit 4
"""


class TillgateError(Exception):
    """Anything Tillgate raises on purpose."""


class ConfigurationError(TillgateError):
    """A setting or a file is wrong; the message names the place and the mend."""


class SeedError(ConfigurationError):
    """A shop file was refused whole. `findings` are `path: what is wrong` lines, sorted by place."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


class Stale(TillgateError):
    """A `before` or a basis version of a plan no longer holds; nothing was applied."""


class Unavailable(TillgateError):
    """The store is held by others, full or broken. Nothing was done; the words are the operator's, not the client's.

    Only of `Unsure` it is not known yet.
    """


class Busy(Unavailable):
    """Too much waits already, or the process is on its way out. Nothing was begun and nothing is written down."""


class Unsure(Unavailable):
    """A commit failed on its way to the disk or on its way back: it may have been kept all the same."""


class IntegrityError(TillgateError):
    """Evidence and state disagree, or evidence cannot be written. Nothing may happen until a person has looked."""
