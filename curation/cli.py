"""`mistakebook COMMAND`: finds the module of a command in curation/commands and runs it."""

import argparse
import importlib
import sys
from types import ModuleType

DESCRIPTION = """The whole loop without a browser.

Commands send their requests to the app that has the workspace open. Where there is none, one without pages is started;
it stops by itself a minute after the last request."""
COMMANDS = {  # name: (module, one line for --help). Nothing is imported before the command is known.
    "import": ("stages", "import a dataset into the workspace"),
    "import-predictions": ("stages", "import predictions that a model made elsewhere"),
    "checkpoints": ("checkpoints", "list, add, test and remove the models that can be evaluated and trained"),
    "datasets": ("datasets", "list, preview, show, remove, restore and rename datasets"),
    "predictions": ("predictions", "list a checkpoint's answers with their scores and what was read"),
    "evaluate": ("stages", "run a checkpoint on the datasets and score its answers"),
    "kinds": ("stages", "let the frontier model name the kinds of questions where a dataset states none"),
    "diagnose": ("stages", "diagnose failures with the frontier model"),
    "cluster": ("stages", "cluster the failures and compute the map"),
    "clusters": ("clusters", "list the clusters with size, accuracy and stability"),
    "generate": ("stages", "generate samples that target the failures"),
    "generate-untargeted": ("stages", "generate samples without a failure, for the arm of an experiment"),
    "draw": ("stages", "draw the missing images of samples"),
    "filter": ("stages", "run the filters on the samples"),
    "review": ("review", "approve, reject or reset samples by rule or list"),
    "calibrate": ("calibrate", "calibrate the filters against reviews; turn auto-approval on or off"),
    "finetune": ("stages", "train a LoRA on the approved samples"),
    "results": ("results", "compare checkpoints: accuracy, what was fixed, what broke, release gate"),
    "nearest-samples": ("stages", "find the training samples nearest to each fixed and broken example"),
    "error-types": ("error_types", "list the error types; add, change, rename, merge, hide them"),
    "experiment": ("experiment", "compare arms: real, targeted, untargeted … samples, at equal size, steps and seeds"),
    "prompts": ("prompts", "list the prompts of the frontier model; save, use and compare versions"),
    "rounds": ("rounds", "list the rounds, or begin the next one"),
    "export": ("export", "write the approved samples in the format of a trainer"),
    "jobs": ("jobs", "list jobs; cancel, pause, resume, retry; show a log"),
    "backup": ("backups", "back up the workspace and verify the backup"),
    "recover": ("recover", "bring back decisions that the store has lost"),
    "restore": ("backups", "restore a workspace from a backup"),
    "users": ("users", "list, add, change and remove those who may log in, and their roles"),
    "audit": ("audit", "list who changed what, logins, and what was refused"),
    "serve": ("serve", "open the workspace in the browser"),
    "doctor": ("doctor", "check this machine, the packages, the workspace, the endpoints"),
    "demo": ("demo", "run the loop once with the built-in models and datasets"),
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
        description=DESCRIPTION,
        epilog=f"commands (each has --help):\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args([name] if name in ("-h", "--help") else [])
    parser.error(f"unknown command {arguments[0]!r}; there are: {', '.join(COMMANDS)}")


def _guarded(module: ModuleType, name: str, arguments: list[str]) -> int:
    from curation.commands.output import print_error
    from data.errors import MistakebookError

    try:
        status: int = module.run(name, arguments)
        return status
    except MistakebookError as error:
        return print_error(str(error), "--json" in arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    main()
