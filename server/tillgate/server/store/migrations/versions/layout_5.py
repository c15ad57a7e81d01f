"""Make the index of arguments anew with `seq`, and drop the table `log` on SQLite, where nothing reads it.

The index got `seq` while layout 4 was in use, so there are stores of that layout with it and without.
"""

from alembic import op

revision, down_revision = "5", "4"


def upgrade() -> None:
    op.drop_index("action_arguments", "action")
    op.create_index("action_arguments", "action", ["shop", "arguments", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE IF EXISTS log")
