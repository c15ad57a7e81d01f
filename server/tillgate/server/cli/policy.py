"""`tillgate policy`: what can be said of a policy file before it goes live."""

import typer

from tillgate.server.cli.policy_backtest import backtest
from tillgate.server.cli.policy_check import check
from tillgate.server.cli.policy_diff import diff
from tillgate.server.cli.policy_explain import explain
from tillgate.server.cli.policy_prove import prove
from tillgate.server.cli.policy_routes import routes
from tillgate.server.cli.policy_schema import schema
from tillgate.server.cli.policy_testing import try_policies
from tillgate.server.cli.policy_versions import log, rollback

app = typer.Typer(help="Check a policy, test it, and say what a change would do.", no_args_is_help=True)
app.command()(check)
app.command()(schema)
app.command()(explain)
app.command()(diff)
app.command()(prove)
app.command()(routes)
app.command()(backtest)
app.command("test")(try_policies)
app.command()(log)
app.command()(rollback)
