"""What alembic runs: the migrations, on the connection it is given and in the transaction that connection is in.

How a layout is added: docs/adr/0018-one-layout-after-another.md.
"""

from alembic import context

from tillgate.server.store.layout import TABLE

context.configure(connection=context.config.attributes["connection"], version_table=TABLE)
with context.begin_transaction():
    context.run_migrations()
