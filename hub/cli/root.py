"""The command tree, and the one place where a failure becomes a sentence and an exit code.

0: done; 1: refused or failed; 2: the command line itself is wrong.
"""

import os
from typing import Any

import click

from hub import __version__
from hub.cli.agreement import agreement
from hub.cli.alarms import alarms
from hub.cli.check import check
from hub.cli.demo import demo
from hub.cli.keys import keys
from hub.cli.party import party
from hub.cli.platform import platform
from hub.cli.plugins import plugins
from hub.cli.sandbox import sandbox
from hub.cli.serve import serve
from hub.errors import HubError
from hub.logs import redact_text
from hub.settings import ENV_PREFIX


class _Boundary(click.Group):
    """Whatever a command raises ends as one sentence on standard error."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HubError as failure:
            raise click.ClickException(str(failure)) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as mistake:
            # The boundary: nobody at a terminal is helped by a traceback they did not ask for.
            level = f"{ENV_PREFIX}LOG_LEVEL"
            if os.environ.get(level, "").lower() == "debug":
                raise
            told = redact_text(f"{type(mistake).__name__}: {mistake}")
            raise click.ClickException(f"this should not happen: {told} ({level}=debug shows where)") from None


@click.group(cls=_Boundary, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ocpi-hub", message="%(prog)s %(version)s")
def main() -> None:
    """An OCPI roaming hub: platforms register once, their parties reach each other through it."""


for command in (serve, demo, check, platform, party, agreement, plugins, alarms, keys, sandbox):
    main.add_command(command)
