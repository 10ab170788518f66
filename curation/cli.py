"""`mistakebook COMMAND`: the whole loop without a browser. Each command is a function in curation/commands.

Commands that touch the store send their request to the app that has the workspace open; where none does, one is started
without pages and ends itself a minute after the last request.
"""

import argparse
import importlib
import sys

COMMANDS = {  # name: (module, one line for --help). Nothing is imported before the command is known.
    "import": ("stages", "read a benchmark into the workspace"),
    "import-predictions": ("stages", "take answers that a model gave elsewhere"),
    "evaluate": ("stages", "ask a checkpoint and score its answers"),
    "diagnose": ("stages", "ask the frontier model what went wrong"),
    "cluster": ("stages", "group the failures and compute the map"),
    "clusters": ("clusters", "list the clusters, how large and how sure each is"),
    "generate": ("stages", "propose samples that practise what went wrong"),
    "draw": ("stages", "draw the pictures that samples wait for"),
    "filter": ("stages", "let the filters judge the samples"),
    "review": ("review", "approve, reject or reset samples by rule or list"),
    "calibrate": ("calibrate", "hold the filters against people; let a rule that proves itself approve"),
    "finetune": ("stages", "train a LoRA on the approved samples"),
    "results": ("results", "compare two checkpoints: what was fixed, what broke"),
    "prompts": ("prompts", "list what the frontier model is asked; save, use and compare versions"),
    "rounds": ("results", "list the rounds, or begin the next one"),
    "export": ("results", "write the approved samples to files"),
    "jobs": ("jobs", "list jobs; cancel, pause, resume, retry; show a log"),
    "backup": ("backups", "write a backup of the workspace and check it"),
    "restore": ("backups", "make a workspace from a backup"),
    "serve": ("serve", "open the workspace in the browser"),
    "doctor": ("doctor", "check this machine, the packages, the workspace, the endpoints"),
    "demo": ("demo", "turn the loop once on the built-in parts"),
}


def main(argv: list[str] | None = None) -> None:
    """Runs a command and exits with its status."""
    arguments = sys.argv[1:] if argv is None else argv
    name = arguments[0].replace("_", "-") if arguments else "--help"
    if name in COMMANDS:
        module = importlib.import_module(f"curation.commands.{COMMANDS[name][0]}")
        sys.exit(_guarded(module, name, arguments[1:]))
    lines = "\n".join(f"  {command:20}{text}" for command, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="mistakebook",
        usage="mistakebook COMMAND [--workspace NAME] [--json] …",
        description=__doc__,
        epilog=f"commands (each has --help):\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args([name] if name in ("-h", "--help") else [])
    parser.error(f"unknown command {arguments[0]!r}; there are: {', '.join(COMMANDS)}")


def _guarded(module, name: str, arguments: list[str]) -> int:
    from curation.commands.app_client import CommandFailed
    from curation.commands.output import print_error
    from curation.config import BadSettings

    try:
        return module.run(name, arguments) or 0
    except (CommandFailed, BadSettings) as error:
        return print_error(str(error), "--json" in arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    main()
