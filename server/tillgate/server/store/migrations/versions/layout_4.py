"""The tables as they were when migrations began, in the words the databases were told then."""

from pathlib import Path

from alembic import op

revision, down_revision = "4", None


def upgrade() -> None:
    connection = op.get_bind()
    script = Path(__file__).with_name(f"layout_4_{connection.dialect.name}.sql").read_text("utf-8")
    for statement in script.strip().removesuffix(";").split(";\n\n"):
        connection.exec_driver_sql(statement)
