"""Small steps of AdamW in the precision in which weights are kept."""

from __future__ import annotations

from helpers.lazy import lazy

torch = lazy("torch")


def share_moved(kept: str, rate: float, betas: tuple[float, float], steps: int = 200) -> float:
    """Share of weights, as large as a network's, that AdamW has moved after some steps.

    Gradients come in bfloat16 and lean to one side, as a mean over many rows does.

    Args:
        kept: type of the weights that the optimiser adds its steps to: ``float32`` or ``bfloat16``.
    """
    dice = torch.Generator().manual_seed(0)
    start = (0.02 * torch.randn(2000, generator=dice)).bfloat16().to(getattr(torch, kept))
    weights = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.AdamW([weights], lr=rate, betas=betas, weight_decay=0.1)
    lean = torch.randn(2000, generator=dice)
    for _ in range(steps):
        gradient = (lean + torch.randn(2000, generator=dice)).bfloat16()
        weights.grad = gradient.to(weights.dtype)
        optimiser.step()
    return float((weights != start).float().mean())
