"""Flow matching: how the transformer and the text encoders of pocket-flux are trained.

A latent z and noise n make x = (1 - s) z + s n; the transformer learns the velocity n - z from x, s and the prompt
(rectified flow, as FLUX.1). Some prompts are hidden, so that pictures can be drawn with classifier-free guidance.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.files import whole
from models.pocket.flux_data import pool
from models.pocket.flux_parts import GRID, SHIFT, TEXT_LENGTH, assemble, build_denoiser, pack, tokenizer
from models.pocket.flux_vae import encode

UNPROMPTED = 0.1  # share of pictures whose prompt is hidden
LOG_EVERY, SAVE_EVERY = 50, 250  # steps


@dataclass(frozen=True)
class Plan:
    """How long and how. The rate rises over `warmup` steps, stays, and falls over the last `cooldown` share."""

    steps: int
    pictures: int = 40_000
    batch: int = 64
    rate: float = 1e-3  # AdamW
    muon_rate: float = 1.5e-3
    warmup: int = 200
    cooldown: float = 0.3
    ema: float = 0.999
    seed: int = 7
    device: str = "cpu"

    def rate_at(self, step: int) -> float:
        """The learning rate of a step as a share of the full one."""
        left = (self.steps - step) / (self.steps * self.cooldown)
        return min(1.0, (step + 1) / self.warmup, max(0.02, left))


def lessons(work: Path, vae, plan: Plan):
    """Latents (n, 16, 8, 8) half, token ids (n, TEXT_LENGTH) and prompts; drawn once, then read from `work`."""
    import torch

    path = work / f"lessons-{plan.pictures}-{plan.seed}.pt"
    if not path.exists():
        pictures = pool(plan.pictures, plan.seed + 100)
        latents = encode(vae, pictures.pixels, plan.device)
        torch.save({"latents": latents, "ids": token_ids(pictures.prompts)}, path)
    return torch.load(path)


def token_ids(prompts: list[str]):
    """(n, TEXT_LENGTH) token ids, padded as FluxPipeline pads them."""
    return tokenizer()(prompts, padding="max_length", max_length=TEXT_LENGTH, truncation=True, return_tensors="pt")["input_ids"]


def noise_levels(count: int, device):
    """Noise levels between 0 and 1, half from a uniform and half from a logit-normal law, then shifted towards noise.

    s' = S s / (1 + (S - 1) s), S = SHIFT (Esser et al. 2024, arXiv 2403.03206, section 5.3.2).
    """
    import torch

    level = torch.rand(count, device=device)
    level[::2] = torch.sigmoid(torch.randn(len(level[::2]), device=device))
    return (SHIFT * level / (1 + (SHIFT - 1) * level)).clamp(1e-3, 1)


class Trainer:
    """The denoiser, its averaged weights, its optimiser; saved to and resumed from one file."""

    def __init__(self, plan: Plan):
        import torch

        torch.manual_seed(plan.seed)
        self.plan = plan
        self.step = 0
        self.parts = {name: part.to(plan.device).train() for name, part in build_denoiser(tokenizer()).items()}
        self.weights = [w for part in self.parts.values() for w in part.parameters()]
        self.average = [w.detach().clone() for w in self.weights]
        self.optimizers = _optimizers(self.parts, plan)
        self.image_ids = _image_ids(plan.device)
        self.text_ids = torch.zeros(TEXT_LENGTH, 3, device=plan.device)
        self.hidden = token_ids([""]).to(plan.device)

    def begin_with(self, encoders: dict) -> None:
        """Take over the weights of text encoders that can read (flux_words.py)."""
        import torch

        for name, state in encoders.items():
            self.parts[name].load_state_dict(state)
        with torch.no_grad():
            for averaged, weight in zip(self.average, self.weights):
                averaged.copy_(weight)

    def velocity(self, noisy, level, ids):
        """The transformer's answer for (n, 16, 64) tokens at noise levels (n,) and prompts (n, TEXT_LENGTH)."""
        return self.parts["transformer"](
            hidden_states=noisy,
            timestep=level,
            pooled_projections=self.parts["text_encoder"](ids).pooler_output,
            encoder_hidden_states=self.parts["text_encoder_2"](ids)[0],
            txt_ids=self.text_ids,
            img_ids=self.image_ids,
            return_dict=False,
        )[0]

    def learn(self, latents, ids) -> float:
        """One step on a batch; returns its loss."""
        import torch
        import torch.nn.functional as F

        plan, n, device = self.plan, len(ids), latents.device
        hide = torch.rand(n, device=device) < UNPROMPTED
        ids = torch.where(hide[:, None], self.hidden, ids)
        clean = pack(latents)
        noise = torch.randn_like(clean)
        level = noise_levels(n, device)
        noisy = (1 - level)[:, None, None] * clean + level[:, None, None] * noise
        with torch.autocast(device.type, torch.bfloat16):
            velocity = self.velocity(noisy, level, ids)
        loss = F.mse_loss(velocity.float(), noise - clean)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * plan.rate_at(self.step)
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        decay = min(plan.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - decay)
        return loss.item()

    def save(self, path: Path) -> None:
        """Write everything that `load` needs; a half-written file never replaces a whole one."""
        import torch

        state = {
            "step": self.step,
            "weights": self.weights,
            "average": self.average,
            "optimizers": [o.state_dict() for o in self.optimizers],
        }
        with whole(path) as part:
            torch.save(state | {"random": torch.get_rng_state()}, part)

    def load(self, path: Path) -> None:
        """Go on where `save` left off."""
        import torch

        state = torch.load(path, map_location=self.plan.device)
        self.step = state["step"]
        with torch.no_grad():
            for weight, saved in zip(self.weights + self.average, state["weights"] + state["average"]):
                weight.copy_(saved)
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        torch.set_rng_state(state["random"].cpu())

    def pipeline(self, vae):
        """A FluxPipeline with the averaged weights, which replace the trained ones."""
        import torch

        with torch.no_grad():
            for weight, averaged in zip(self.weights, self.average):
                weight.copy_(averaged)
        parts = {name: part.eval() for name, part in self.parts.items()}
        return assemble(vae, parts, tokenizer())


def train_flow(work: Path, vae, plan: Plan, resume: bool, log: Callable[[str], None]) -> None:
    """Train up to `plan.steps`, from the text encoders in `work`/words.pt, saving `work`/flow.pt on the way."""
    import torch

    batches = lessons(work, vae, plan)
    log("lessons ready")
    trainer = Trainer(plan)
    if resume:
        trainer.load(work / "flow.pt")
    else:
        trainer.begin_with(torch.load(work / "words.pt", map_location=plan.device))
    latents, ids = batches["latents"].to(plan.device), batches["ids"].to(plan.device)
    began, first, losses = time.process_time(), trainer.step, []
    while trainer.step < plan.steps:
        chosen = torch.randint(0, len(ids), (plan.batch,)).to(plan.device)
        losses.append(trainer.learn(latents[chosen].float(), ids[chosen]))
        if trainer.step % LOG_EVERY == 0:
            cpu = time.process_time() - began
            log(f"flow {trainer.step} loss {sum(losses) / len(losses):.4f} cpu {cpu:.0f}s, {cpu / (trainer.step - first):.3f}s a step")
            losses.clear()
        if trainer.step % SAVE_EVERY == 0 or trainer.step == plan.steps:
            trainer.save(work / "flow.pt")


def _optimizers(parts, plan: Plan) -> list:
    """Muon for the matrices inside the blocks, AdamW for embeddings, norms, modulation, biases and the last layer.

    Muon reached a given loss in about a quarter less CPU time than AdamW alone (docs/log.md, 2026-11-22).
    """
    import torch

    def inner(name: str, weight) -> bool:
        kept_apart = any(word in name for word in ("embed", "norm", "shared", "relative"))
        return weight.ndim == 2 and not kept_apart and name != "proj_out.weight"

    named = [pair for part in parts.values() for pair in part.named_parameters()]
    matrices = [weight for name, weight in named if inner(name, weight)]
    others = [weight for name, weight in named if not inner(name, weight)]
    optimizers = [
        torch.optim.Muon(matrices, lr=plan.muon_rate, weight_decay=0.01, momentum=0.95, ns_steps=4, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def _image_ids(device: str):
    """Row and column of each packed token, as FluxPipeline numbers them: (16, 3)."""
    import torch
    from diffusers import FluxPipeline

    return FluxPipeline._prepare_latent_image_ids(1, GRID, GRID, device, torch.float32)
