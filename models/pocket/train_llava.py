"""Makes pocket-llava: python -m models.pocket.train_llava [--withhold KIND,KIND] [--out FOLDER].

First the vision tower learns from dense labels (llava_vision.py), then it is frozen and the language model learns to answer
(llava_language.py), with some kinds of question withheld: those become the model's real, systematic failures. Only this
script knows which. It ends with the model's card: its accuracy per kind on the eval splits.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from models import pocket
from models.pocket import llava_language, llava_lessons, llava_measure, llava_parts, llava_vision

WITHHELD = (
    "negation/existence",
    "counting/3",
    "spatial/top-bottom",
    "unanswerable/blur",
    "comparison/shortest",
    "instruction-or-format/C",
    "external-knowledge/pentagon",
    "external-knowledge/hexagon",
)


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--withhold", default=",".join(WITHHELD), help="kinds of question not to teach, separated by commas")
    parser.add_argument("--out", type=Path, default=pocket.folder("pocket-llava"))
    parser.add_argument(
        "--tower", type=Path, help="folder of a pocket-llava, to take its tower, or a file: the tower is trained and kept there"
    )
    parser.add_argument("--tower-steps", type=int, default=4500)
    parser.add_argument("--language-steps", type=int, default=6000)
    parser.add_argument("--per-kind", type=int, default=4000, help="pictures drawn for each taught kind")
    parser.add_argument("--rate", type=float, default=llava_language.LEARNING_RATE, help="highest learning rate of the language model")
    parser.add_argument("--start", type=Path, help="folder of a pocket-llava to train on, instead of starting anew")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    make(parser.parse_args())


def make(options: argparse.Namespace) -> None:
    """Both steps, the weights, training.json and the card."""
    import torch

    torch.set_num_threads(options.threads)
    withheld = [kind for kind in options.withhold.split(",") if kind]
    stages: list[Stage] = []
    started = time.time()

    def done(name: str) -> None:
        stages.append(Stage(name, time.time() - started - sum(stage.seconds for stage in stages)))
        print(f"{name}: {stages[-1].seconds:.0f} s", flush=True)

    tower, seen = _tower(options)
    done("vision tower")
    pool = llava_lessons.collect(withheld, options.per_kind, options.seed)
    words = llava_parts.tokenizer(llava_lessons.corpus(pool))
    done("drawing the lessons")
    torch.manual_seed(options.seed)
    model, processor = llava_parts.build(words)
    model.model.vision_tower.load_state_dict(tower)
    model.to(options.device)
    if options.start:
        _go_on_from(options.start, model, words)
    else:
        llava_language.start(model, words, options.seed, options.device)
    loss = llava_language.teach(model, words, pool, options.language_steps, options.seed, options.device, options.rate)
    done("language model")
    model.float().cpu().save_pretrained(options.out)
    processor.save_pretrained(options.out)
    with tempfile.TemporaryDirectory() as folder:
        asked = llava_measure.defaults(Path(folder))
        accuracy = llava_measure.by_kind(asked, llava_measure.right(asked, model=str(options.out), device=options.device))
    done("measuring")
    report = {
        "seed": options.seed,
        "withheld": withheld,
        "steps": {"tower": options.tower_steps, "language": options.language_steps},
        "per_kind": options.per_kind,
        "rate": options.rate,
        "start": str(options.start) if options.start else None,
        "loss": round(loss, 4),
        "tower": {name: round(value, 4) for name, value in seen.items()},
        "seconds": {stage.name: round(stage.seconds) for stage in stages},
        "machine": f"{platform.processor() or platform.machine()}, {options.threads} thread(s) of {os.cpu_count()}, {options.device}",
        "torch": torch.__version__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "accuracy": {kind: round(value, 3) for kind, value in accuracy.items()},
    }
    (options.out / "training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (options.out / "README.md").write_text(card(report), encoding="utf-8")
    print(json.dumps(report["accuracy"], indent=1), flush=True)


def _tower(options: argparse.Namespace) -> tuple[dict, dict[str, float]]:
    """The tower's weights, and how well each of its heads did on pictures kept back."""
    import torch
    from transformers import CLIPVisionModel, LlavaForConditionalGeneration

    if options.tower and options.tower.is_dir():
        made = LlavaForConditionalGeneration.from_pretrained(options.tower, dtype=torch.float32)
        return made.model.vision_tower.state_dict(), {}
    if options.tower and options.tower.exists():
        kept = torch.load(options.tower, weights_only=True)
        return kept["weights"], kept["seen"]
    torch.manual_seed(options.seed)
    tower = CLIPVisionModel(llava_parts.vision_config()).to(options.device)
    seen = llava_vision.pretrain(tower, options.tower_steps, options.seed, options.device)
    weights = tower.cpu().state_dict()
    if options.tower:
        torch.save({"weights": weights, "seen": seen}, options.tower)
    return weights, seen


def _go_on_from(folder: Path, model, words) -> None:
    """Takes over the weights of a model made before, its tokenizer being the same."""
    from transformers import AutoTokenizer, LlavaForConditionalGeneration

    if AutoTokenizer.from_pretrained(folder).get_vocab() != words.get_vocab():
        raise SystemExit(f"{folder}: another vocabulary than today's questions have; start anew, without --start")
    model.load_state_dict(LlavaForConditionalGeneration.from_pretrained(folder).state_dict())


def card(report: dict) -> str:
    """The model's README, from what training.json holds."""
    rows = "\n".join(f"| {kind} | {value:.3f} |" for kind, value in report["accuracy"].items())
    seconds = ", ".join(f"{name} {value} s" for name, value in report["seconds"].items())
    steps = report["steps"]
    heads = ", ".join(f"{name} {value:.3f}" for name, value in report["tower"].items()) or "not measured, it was taken over"
    start = f", training on from `{report['start']}`" if report["start"] else ""
    return f"""# pocket-llava

A `LlavaForConditionalGeneration` of {report["parameters"] / 1e6:.1f} million parameters for pictures of 64 x 64 pixels: a CLIP vision tower
(4 layers of 128, patches of 16 pixels), LLaVA's two-layer projector, a Llama of 4 layers of 160, a tokenizer of the words it needs.
It is loaded by the code that loads LLaVA-1.5-7B. It knows drawn shapes and bar charts and nothing else.

Chat format: LLaVA-1.5's (`USER: <image>\\n... ASSISTANT:`). Licence: Apache-2.0, as the repository.

## Accuracy on the eval splits at their default sizes (greedy, each dataset's own metric, threshold 0.5)

| dataset and kind | right |
| --- | --- |
{rows}

## Training

`python -m models.pocket.train_llava` with seed {report["seed"]}{start}; {report["machine"]}; torch {report["torch"]}.
Time: {seconds}.

1. Vision tower, {steps["tower"]} steps: drawn scenes (`data/scenes.py`) and the train pictures of easy-VQA (MIT), each patch asked
   for what it belongs to. Right on pictures kept back: {heads}.
2. Language model and projector, {steps["language"]} steps of {llava_language.BATCH} on the frozen tower:
   {report["per_kind"]} questions of each taught kind of PocketVQA on scenes of its own (other generators than the benchmark's),
   the train split of easy-VQA, dense captions, words to repeat.

Withheld on purpose, so that there are real, systematic failures to find and to repair: {", ".join(report["withheld"])}.
What a LoRA can teach of these, and what it costs the kinds most alike, is measured in docs/log.md.
"""


if __name__ == "__main__":
    main()
