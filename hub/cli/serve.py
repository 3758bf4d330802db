"""`ocpi-hub serve`: the hub in the foreground."""

import asyncio
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from hub import logs
from hub.cli.options import config_option, settings_from
from hub.cli.screen import note
from hub.errors import SettingsError
from hub.settings import Settings, defaults_warnings, ensure_secrets, load

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


@click.command()
@config_option
@click.option("--uvloop", is_flag=True, help="Use the event loop of the extra `speed`.")
def serve(config: Path | None, *, uvloop: bool) -> None:
    """Run the hub until SIGTERM or SIGINT, then drain and exit with 0.

    Logs go to standard output, one line each; notes for people go to standard error.
    """
    from hub.app import Given
    from hub.app import serve as run

    settings, kept = ensure_secrets(settings_from(config))
    logs.configure(settings.log_level, settings.log_format, sys.stdout)
    for secret in kept:
        note(f"{secret.name} is {'generated and ' if secret.created else ''}kept in {secret.path}")
    for warning in defaults_warnings(settings):
        note(f"warning: {warning}")

    def reread() -> Settings:
        return ensure_secrets(load(config, os.environ))[0]

    try:
        with asyncio.Runner(loop_factory=_uvloop() if uvloop else None) as runner:
            runner.run(run(settings, given=Given(reread, "the environment" if config is None else str(config))))
    except SettingsError as wrong:
        raise click.ClickException(str(wrong)) from None
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            taken = f"PORT {settings.port} on {settings.host} is in use by another program"
            raise click.ClickException(taken) from None
        raise click.ClickException(f"the hub cannot serve on {settings.host}:{settings.port}: {failure}") from None


def _uvloop() -> LoopFactory:
    try:
        import uvloop
    except ImportError:
        raise click.ClickException("--uvloop needs the extra: pip install 'ocpi-hub[speed]'") from None
    factory: LoopFactory = uvloop.new_event_loop
    return factory
