"""The child that answers single questions: python -m curation.try_it.answer_process

One JSON object a line on standard input: {"checkpoint": {…}, "text": …, "image_path": …}; one a line on standard output:
{"answer": …, "seconds": …} or {"error": …}. Weights stay loaded; it ends with its input, or after some idle minutes.
"""

import json
import os
import select
import time
from typing import Any

from curation import checkpoints
from data.records import Ask, Checkpoint

IDLE = 300.0  # seconds
LOADED = 2  # checkpoints kept in memory


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to the log
    loaded: dict[str, Any] = {}
    questions = os.fdopen(os.dup(0), "rb", buffering=0)  # nothing is read ahead: select tells whether a line waits
    while select.select([questions], [], [], IDLE)[0] and (line := questions.readline()):
        answers.write(json.dumps(_answer(json.loads(line), loaded), ensure_ascii=False) + "\n")


def _answer(asked: dict[str, Any], loaded: dict[str, Any]) -> dict[str, Any]:
    name, began = json.dumps(asked["checkpoint"], sort_keys=True), time.monotonic()
    try:
        if name not in loaded:
            while len(loaded) >= LOADED:
                del loaded[next(iter(loaded))]
            made = checkpoints.make_baseline(Checkpoint.from_row(asked["checkpoint"]))
            made.warm_up()
            loaded[name] = made
        ready = time.monotonic()
        (answer,) = loaded[name].answer([Ask("try", asked["text"], asked["image_path"])])
    except Exception as error:  # transformers and peft raise nearly anything on weights that don't fit
        return {"error": f"{type(error).__name__}: {error}"}
    if isinstance(answer, Exception):
        return {"error": str(answer)}
    return {"answer": answer, "seconds": time.monotonic() - ready, "load_seconds": ready - began}


if __name__ == "__main__":
    main()
