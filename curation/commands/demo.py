"""`mistakebook demo`: the loop with the built-in models and datasets; its last line on standard output is one JSON object."""

import json
import sys

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import parser


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Runs the loop once with the built-in models and datasets. Prints progress on standard error, the result as JSON.")
    made.set_defaults(workspace="demo")
    given = made.parse_args(arguments)
    from curation.workspaces import demo

    app = App(given.workspace)
    try:
        result = demo.run(app.owner, lambda text: print(text, file=sys.stderr, flush=True))
    except OSError as error:
        raise CommandFailed(str(error)) from error
    print(json.dumps(result), flush=True)
    return 0
