"""The ``tvir`` command: finds the command asked for, runs it, and turns errors into one line and an exit status.

A command is a file in ``commands/``: its docstring is its help, its function ``main`` takes the arguments. Nothing but
the file asked for is imported, because torch alone takes over a second.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tvir.cli.ranks import rank
from tvir.contracts.errors import TvirError, UsageError

_COMMANDS = Path(__file__).with_name("commands")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit status: 0, 1 for a failure, 2 for usage, 130 and 143 for signals.

    Args:
        arguments: The words after ``tvir``; those of the process by default.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    sys.exit(_run([word for word in words if word != "--debug"], debug))


def _run(words: list[str], debug: bool) -> int:
    try:
        _dispatch(words)
        sys.stdout.flush()
    except SystemExit as leaving:  # from --help
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _complain("interrupted", 130, debug)
    except TvirError as error:
        # Processes that train together fail together; the main one speaks for all.
        return _complain(str(error), error.exit_status, debug) if rank() == 0 else error.exit_status
    except Exception as error:
        seen = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        hint = "" if debug else "; run again with --debug to see where"
        where = f" in process {rank()}" if rank() else ""
        return _complain(f"something unexpected happened{where}: {seen}{hint}", 1, debug)
    return 0


def _complain(message: str, status: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    print("tvir: " + " ".join(message.split()), file=sys.stderr)
    return status


def _dispatch(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help(), end="")
        return
    if words[0] == "--version":
        from tvir import __version__

        print(f"tvir {__version__}")
        return
    names = command_names()
    if words[0] not in names:
        close = difflib.get_close_matches(words[0], names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"the commands are: {', '.join(names)}"
        raise UsageError(f"there is no command {words[0]!r}; {hint}")
    command = importlib.import_module(f"tvir.cli.commands.{words[0].replace('-', '_')}")
    command.main(words[1:])


def command_names() -> list[str]:
    """Every command there is."""
    return sorted(file.stem.replace("_", "-") for file in _COMMANDS.glob("[!_]*.py"))


def summary(command: str) -> str:
    """The first line of a command's docstring, read without importing the command."""
    source = (_COMMANDS / f"{command.replace('-', '_')}.py").read_text("utf-8")
    # Not ast.get_docstring: it imports inspect, which takes a tenth of the time that --help may take.
    match ast.parse(source).body:
        case [ast.Expr(ast.Constant(str(text))), *_]:
            return text.partition("\n")[0]
    return ""


def _help() -> str:
    names = command_names()
    width = max(map(len, names))
    lines = [
        "usage: tvir COMMAND [--help] ...",
        "",
        "Makes, judges and creates with generative neural networks.",
        "",
        "commands:",
        *(f"  {name:{width}}  {summary(name)}" for name in names),
        "",
        "tvir COMMAND --help shows the options of a command with their defaults and units.",
        "--debug, anywhere on the line, shows where an error came from. --version shows the version.",
        "",
        "begin with: tvir train vae --data digits --budget 30s",
    ]
    return "\n".join(lines) + "\n"
