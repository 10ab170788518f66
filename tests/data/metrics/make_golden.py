"""Makes golden/*.jsonl.gz: 3,000 random pairs a metric with the scores that the published harnesses give them.

The harnesses are asked themselves, each as its package holds it; none of their code is kept here. They want an environment of their own:

    python -m venv harnesses
    harnesses/bin/pip install torch numpy pandas requests loguru sacrebleu scikit-learn evaluate pyyaml tenacity pytablewriter
    harnesses/bin/pip install --no-deps lmms-eval==0.7.3 llava-torch==1.2.2.post1 pycocoevalcap==1.2
    harnesses/bin/python tests/data/metrics/make_golden.py tests/data/metrics/golden [METRIC …]

and pycocoevalcap wants Java. Licences: lmms-eval MIT, LLaVA Apache 2.0, coco-caption BSD 2-Clause.
"""

import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import random_pairs as pairs

Pair = dict[str, Any]  # prediction, golds, perhaps choices; score is added


def main(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, (make, ask) in HARNESSES.items():
        if names and name not in names:
            continue
        rng = random.Random(f"{name} 1")
        asked = [make(rng) for _ in range(pairs.COUNT)]
        scores = ask(asked)
        assert len(scores) == len(asked)
        # mtime 0: the same pairs make the same file
        with (folder / f"{name}.jsonl.gz").open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
            for pair, score in zip(asked, scores):
                file.write((json.dumps(pair | score, ensure_ascii=False) + "\n").encode())
        print(name, len(asked), "pairs, mean", sum(s["score"] for s in scores) / len(scores))


def vqa_accuracy(asked: list[Pair]) -> list[Pair]:
    from lmms_eval.tasks.ok_vqa.utils import ok_vqa_process_results

    return [
        {"score": float(ok_vqa_process_results({"answers": list(p["golds"]), "question_id": 0}, [p["prediction"]])["exact_match"])}
        for p in asked
    ]


def exact_match(asked: list[Pair]) -> list[Pair]:
    from lmms_eval.tasks._task_utils.vqa_eval_metric import EvalAIAnswerProcessor

    plain = EvalAIAnswerProcessor()
    return [
        {"score": float(plain(p["prediction"]) in [plain(gold) for gold in p["golds"]]), "normal": plain(p["prediction"])} for p in asked
    ]


def anls(asked: list[Pair]) -> list[Pair]:
    from lmms_eval.api.metrics import anls

    return [{"score": float(anls(references=p["golds"], predictions=[p["prediction"]])["anls"])} for p in asked]


def relaxed_accuracy(asked: list[Pair]) -> list[Pair]:
    from lmms_eval.tasks.chartqa.utils import relaxed_correctness

    return [{"score": float(relaxed_correctness(p["prediction"], p["golds"][0]))} for p in asked]


def gqa(asked: list[Pair]) -> list[Pair]:
    from lmms_eval.api.metrics import exact_match_hf_evaluate

    ask = partial(exact_match_hf_evaluate, ignore_case=True, ignore_punctuation=True)
    return [{"score": float(ask(predictions=[p["prediction"]], references=[p["golds"][0]])["exact_match"])} for p in asked]


def multiple_choice(asked: list[Pair]) -> list[Pair]:
    """LLaVA's script as it is run from its command line: five letters, whatever the number of choices."""
    spec = find_spec("llava")
    assert spec and spec.submodule_search_locations, "llava-torch is not installed"
    script = Path(next(iter(spec.submodule_search_locations))) / "eval" / "eval_science_qa.py"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problems = {str(i): {"choices": p["choices"], "answer": "ABCDEFGH".index(p["golds"][0])} for i, p in enumerate(asked)}
        (folder / "problems.json").write_text(json.dumps(problems))
        (folder / "pid_splits.json").write_text(json.dumps({"test": list(problems)}))
        lines = [json.dumps({"question_id": str(i), "text": p["prediction"], "prompt": "<image>"}) for i, p in enumerate(asked)]
        (folder / "answers.jsonl").write_text("\n".join(lines))
        files = {"--base-dir": ".", "--result-file": "answers.jsonl", "--output-file": "out.json", "--output-result": "result.json"}
        subprocess.run([sys.executable, str(script), *(part for pair in files.items() for part in pair)], cwd=folder, check=True)
        read = json.loads((folder / "result.json").read_text())["results"]
    return [{"score": float(read[str(i)] == "ABCDEFGH".index(p["golds"][0]))} for i, p in enumerate(asked)]


def mmbench(asked: list[Pair]) -> list[Pair]:
    from lmms_eval.tasks.mmbench.mmbench_evals import MMBench_Evaluator

    evaluator = MMBench_Evaluator()
    return [{"score": float(evaluator.prefetch_answer(_item(p["prediction"], p["choices"])) == p["golds"][0])} for p in asked]


def mmbench_circular(asked: list[Pair]) -> list[Pair]:
    """The rotations as rows of MMBench's table; where it would ask a judge model, the judge finds nothing."""
    import pandas
    from lmms_eval.tasks.mmbench.mmbench_evals import MMBench_Evaluator

    evaluator = MMBench_Evaluator()
    evaluator.extract_answer_from_item = lambda item: (False, "")
    scores = []
    for p in asked:
        n, right = len(p["choices"]), "ABCD".index(p["golds"][0])
        rotated = [p["choices"][i:] + p["choices"][:i] for i in range(n)]
        rows = [{"index": i, **_item(answer, choices)} for i, (answer, choices) in enumerate(zip(p["predictions"], rotated))]
        golds = {i: "ABCD"[(right - i) % n] for i in range(n)}
        scores.append({"score": float(evaluator.eval_sub_data(pandas.DataFrame(rows), golds))})
    return scores


def cider(asked: list[Pair]) -> list[Pair]:
    """The words that Stanford's tokenizer cuts too: they are compared one by one."""
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    golds = {i: [{"caption": gold} for gold in p["golds"]] for i, p in enumerate(asked)}
    answers = {i: [{"caption": p["prediction"]}] for i, p in enumerate(asked)}
    golds, answers = PTBTokenizer().tokenize(golds), PTBTokenizer().tokenize(answers)
    _, scores = Cider().compute_score(golds, answers)
    return [{"score": float(score), "words": answers[i][0], "gold_words": golds[i]} for i, score in enumerate(scores)]


def _item(prediction: str, choices: list[str]) -> dict[str, object]:
    return {"prediction": prediction, **{letter: choices[i] if i < len(choices) else float("nan") for i, letter in enumerate("ABCD")}}


Make = Callable[[random.Random], Pair]
HARNESSES: dict[str, tuple[Make, Callable[[list[Pair]], list[Pair]]]] = {
    "vqa_accuracy": (lambda rng: pairs.short_answer(rng, rng.randint(1, 12)), vqa_accuracy),
    "exact_match": (lambda rng: pairs.short_answer(rng, rng.randint(1, 3)), exact_match),
    "anls": (lambda rng: pairs.short_answer(rng, rng.randint(1, 4)), anls),
    "relaxed_accuracy": (pairs.number_answer, relaxed_accuracy),
    "gqa": (lambda rng: pairs.short_answer(rng, 1), gqa),
    "multiple_choice": (lambda rng: pairs.option_answer(rng, 5), multiple_choice),
    "mmbench": (lambda rng: pairs.option_answer(rng, 4), mmbench),
    "mmbench_circular": (pairs.circular_answers, mmbench_circular),
    "cider": (pairs.captioned_image, cider),
}

if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
