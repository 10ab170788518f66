"""The autoencoder of pocket-flux: how it is trained, and how pictures become latents."""

import time
from collections.abc import Callable
from pathlib import Path

from models.pocket.flux_data import Pool, crowded_scene, pool
from models.pocket.flux_parts import build_vae

OBJECT_WEIGHT = 5.0  # loss of a pixel in or beside an object; background weighs 1
KL_WEIGHT = 4e-3  # nats per latent number; enough for smooth latents, too little to blur corners
LOG_EVERY = 100  # steps
CROP = 32  # pixels: crops hold one object and cost a quarter of a picture


def to_signal(pixels):
    """uint8 pixels to floats in [-1, 1]."""
    return pixels.float() / 127.5 - 1


def train_vae(work: Path, device: str, steps: int, seed: int, log: Callable[[str], None]) -> None:
    """Train from nothing and save to `work`/vae: two thirds of the steps on crops, one third on whole pictures.

    Whole pictures matter: the group norms see the statistics of a mostly empty picture there.
    """
    import torch

    torch.manual_seed(seed)
    crowded, plain = pool(8000, seed, crowded_scene), pool(8000, seed + 1)
    log("pictures drawn")
    vae = build_vae().to(device, memory_format=torch.channels_last)
    draws = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.05)
    began = time.process_time()
    for step in range(steps):
        whole = step >= steps * 2 // 3
        signal = _batch(plain, 10, 64, draws) if whole else _batch(crowded, 32, CROP, draws)
        signal = signal.to(device, memory_format=torch.channels_last)
        posterior = vae.encode(signal).latent_dist
        drawn = vae.decode(posterior.sample()).sample
        error = weighted_error(drawn, signal)
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        optimizer.zero_grad()
        (error + KL_WEIGHT * kl).backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % LOG_EVERY == LOG_EVERY - 1:
            noise, spread = posterior.std.mean().item(), posterior.mean.std().item()
            cpu = time.process_time() - began
            log(f"vae {step + 1} cpu {cpu:.0f}s error {error.item():.4f} kl {kl.item():.3f} noise {noise:.3f} signal {spread:.3f}")
        if step % 1000 == 999:
            vae.save_pretrained(work / "vae")
    _settle_scale(vae, plain)
    vae.save_pretrained(work / "vae")


def weighted_error(drawn, signal):
    """L1 plus half the squared error; pixels in or beside coloured objects count OBJECT_WEIGHT times."""
    import torch.nn.functional as F

    coloured = (signal.amax(1, keepdim=True) - signal.amin(1, keepdim=True) > 0.2).float()
    weight = 1 + (OBJECT_WEIGHT - 1) * F.max_pool2d(coloured, 3, stride=1, padding=1)
    gap = drawn - signal
    return (weight * (gap.abs() + 0.5 * gap**2)).mean()


def encode(vae, pixels, device: str):
    """(n, 3, 64, 64) uint8 pixels to (n, 16, 8, 8) latents of mean 0 and deviation 1, kept as float16 on the CPU."""
    import torch

    vae = vae.to(device, memory_format=torch.channels_last).eval()
    with torch.no_grad():
        parts = [vae.encode(to_signal(part).to(device)).latent_dist.mode() for part in pixels.split(250)]
        latents = (torch.cat(parts) - vae.config.shift_factor) * vae.config.scaling_factor
    return latents.half().cpu()


def _batch(pictures: Pool, count: int, size: int, draws):
    """`count` random crops of `size` x `size` pixels as a signal."""
    import torch

    chosen = torch.randint(0, len(pictures.pixels), (count,), generator=draws).tolist()
    corners = torch.randint(0, 64 - size + 1, (count, 2), generator=draws).tolist()
    return to_signal(torch.stack([pictures.pixels[i, :, y : y + size, x : x + size] for i, (y, x) in zip(chosen, corners)]))


def _settle_scale(vae, pictures: Pool) -> None:
    """Write into the config the shift and scale that give latents mean 0 and deviation 1."""
    import torch

    with torch.no_grad():
        device = next(vae.parameters()).device
        latents = torch.cat([vae.encode(to_signal(p).to(device)).latent_dist.mode() for p in pictures.pixels[:2000].split(250)])
    vae.register_to_config(shift_factor=latents.mean().item(), scaling_factor=1 / latents.std().item())
