"""Make pocket-flux, or go on making it. About an hour of one core.

python -m models.pocket.train_flux                          all stages, then write models/pocket/flux
python -m models.pocket.train_flux --stage flow --resume    go on with the transformer from WORK/flow.pt
python -m models.pocket.train_flux --stage export           write models/pocket/flux from what WORK holds now
python -m models.pocket.train_flux --measure                how faithful the committed pictures are, by the teacher's eye
"""

import argparse
import time
from pathlib import Path

from models import pocket
from models.pocket.flux_flow import Plan

STAGES = ("vae", "words", "flow", "export")


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.measure:
        from models.pocket.flux_measure import measure

        return measure(str(arguments.out), arguments.measure_steps, arguments.measure_guidance, arguments.measure_prompts)
    arguments.work.mkdir(parents=True, exist_ok=True)
    began = time.time()

    def log(text: str) -> None:
        print(f"{time.time() - began:7.0f}s {text}", flush=True)

    for stage in STAGES if arguments.stage == "all" else [arguments.stage]:
        run_stage(stage, arguments, log)
        log(f"{stage} done")


def run_stage(stage: str, arguments: argparse.Namespace, log) -> None:
    """One stage, from and to files in `arguments.work`: vae/, words.pt, lessons-*.pt, flow.pt."""
    import torch
    from diffusers import AutoencoderKL

    from models.pocket import flux_flow, flux_vae, flux_words

    work, device = arguments.work, arguments.device
    plan = Plan(steps=arguments.steps, pictures=arguments.pictures, batch=arguments.batch, seed=arguments.seed, device=device)
    if stage == "vae":
        return flux_vae.train_vae(work, device, arguments.vae_steps, arguments.seed, log)
    if stage == "words":
        return flux_words.train_words(work, device, arguments.words_steps, arguments.seed, log)
    vae = AutoencoderKL.from_pretrained(work / "vae")
    if stage == "flow":
        flux_flow.train_flow(work, vae, plan, arguments.resume, log)
    if stage == "export":
        trainer = flux_flow.Trainer(plan)
        trainer.load(work / "flow.pt")
        vae.register_to_config(_name_or_path="pocket-flux")  # else the folder of the unfinished work
        # half precision halves what is committed; it is loaded as float32 on a CPU
        trainer.pipeline(vae).to("cpu", torch.float16).save_pretrained(arguments.out)
        log(f"{arguments.out} written, {trainer.step} steps")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", default="all", choices=(*STAGES, "all"))
    parser.add_argument("--work", type=Path, default=Path("build/flux"), help="where unfinished work is kept")
    parser.add_argument("--out", type=Path, default=pocket.folder("pocket-flux"), help="the folder of the finished pipeline")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--resume", action="store_true", help="go on from WORK/flow.pt")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--vae-steps", type=int, default=5000)
    parser.add_argument("--words-steps", type=int, default=900)
    parser.add_argument("--steps", type=int, default=4000, help="steps of the transformer, earlier ones counted in")
    parser.add_argument("--pictures", type=int, default=40_000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--measure-steps", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--measure-guidance", type=float, default=2.5)
    parser.add_argument("--measure-prompts", type=int, default=200, help="prompts a kind")
    return parser


if __name__ == "__main__":
    main()
