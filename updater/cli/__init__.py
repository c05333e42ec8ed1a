"""The same house from the command line: arguments, tables, exit codes.

It hides click, and that each command's imports are paid for only when it runs (`updater --help`
loads none of them). Commands only translate; what they offer is a function of an inner room.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback

import click

from updater import __version__
from updater.errors import InvalidRequest, InvalidSettings, TemporaryError, UpdaterError

# Exit codes are an interface (docs/cli.md): scripts branch on them.
DONE, NOT_DONE, USAGE, BUG, NOT_YET, INTERRUPTED = 0, 1, 2, 3, 4, 130

_COMMANDS = {
    "serve": "Run the server: take requests, write commits.",
    "update": "Write one image's tag, without a server.",
    "plan": "Show what an image would change and why, as a diff.",
    "promote": "Take what stands in one environment to another.",
    "proposals": "Show the changes that wait for a person; approve or close them.",
    "rollback": "Take deployments back, and hold the builds that were.",
    "hold": "Keep builds out of a chart.",
    "release": "Let builds in again that were held.",
    "holds": "Show what is held, and why.",
    "set": "Set one value in a YAML file and leave every other byte alone.",
    "check": "Find what would break in a config repo, before it breaks.",
    "init": "Write rules for a config repo.",
    "status": "Show which tag stands where, since when, and what is in its way.",
    "history": "Show what was deployed where, by whom and when, and the figures of it.",
    "why": "Say why an image is, or is not, where it could be.",
    "requests": "Show what became of requests.",
    "token": "Make a token for a caller.",
}


class _Lazy(click.Group):
    """A group whose commands live in modules of their own, loaded when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"updater.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Turn a built image into a commit in the config repo.

    Settings are environment variables named UPDATER_*; docs/settings.md lists them.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    # Names of files need not be text.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.exit(_run())


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except click.ClickException as problem:
        problem.show()
        return USAGE
    except BrokenPipeError:
        # The reader of a pipe went away; what it wanted it has. Keep the interpreter from flushing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except UpdaterError as problem:
        click.echo(f"Error: {problem}", err=True)
        return exit_code(problem)
    except Exception:
        traceback.print_exc()
        click.echo("This is a bug in the updater. Please report it with the lines above.", err=True)
        return BUG
    return code if isinstance(code, int) else DONE


def exit_code(problem: UpdaterError) -> int:
    """Return the exit code for an error that ended a command."""
    if isinstance(problem, InvalidRequest | InvalidSettings):
        return USAGE
    return NOT_YET if isinstance(problem, TemporaryError) else NOT_DONE
