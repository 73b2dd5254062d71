"""Formulas of the listening objectives, on tensors alone."""

from __future__ import annotations

import torch
from torch import Tensor

STEEPEST = 20.0
"""Log-ratios are cut here before they are put in the exponent, as in PAPO's program."""


def amplified(audio: Tensor, without: Tensor, alpha: float) -> Tensor:
    """log q = log p + alpha (log p - log p without the audio), renormalised, of a teacher with amplified audio.

    Args:
        audio: logits with the audio, shape (…, tokens that may be said).
        without: logits without it, of the same shape.

    Source: RT-OPD (github.com/KaiyangLi1992/RT-OPD), whose alpha is 1.
    """
    heard, missed = audio.float().log_softmax(-1), without.float().log_softmax(-1)
    return (heard + alpha * (heard - missed)).log_softmax(-1)


def reverse_kl(student: Tensor, target: Tensor) -> Tensor:
    """KL(student || target) in nats, of logits (…, tokens) and log-probabilities of the same shape; shape (…)."""
    said = student.float().log_softmax(-1)
    return (said.exp() * (said - target)).sum(-1)


def reply_means(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of each reply over its tokens, shape (replies,); 0 where it has none."""
    return (values * mask).sum(-1) / mask.sum(-1).clamp(min=1)


def masked_divergence(heard: Tensor, masked: Tensor, most: float) -> Tensor:
    """KL(p with the clip || p with it masked) at sampled tokens, in nats, by the estimator k3, at most ``most``.

    Args:
        heard: log-probabilities of the tokens given the clip, any shape.
        masked: the same given the masked clip.

    Source: PAPO (arXiv 2507.06448): r - log r - 1 with r = p masked / p; the bound is its program's.
    """
    log_ratio = (masked - heard).clamp(-STEEPEST, STEEPEST)
    return (log_ratio.exp() - log_ratio - 1).clamp(max=most)


def masked_loss(
    heard: Tensor, masked: Tensor, mask: Tensor, *, weight: float, most: float, entropy: float
) -> tuple[Tensor, Tensor]:
    """What is added to the loss of GRPO, and the mean divergence.

    ``-weight KL + entropy (-log p + -log p masked)``, the mean over a reply's tokens, then over the replies.

    Args:
        heard: log-probabilities of the replies' tokens given the clip, shape (replies, tokens).
        masked: the same given the masked clip.
        mask: which of them are of the reply.
    """
    divergence = reply_means(masked_divergence(heard, masked, most), mask).mean()
    guard = reply_means(-(heard + masked), mask).mean()
    return entropy * guard - weight * divergence, divergence.detach()


def is_dull(rewards: Tensor, generations: int, silent: int = 0) -> Tensor:
    """Which groups have equal rewards, shape (groups,): all that hear the same are rewarded alike.

    Args:
        rewards: shape (replies,), whole groups one after the other.
        silent: how many of a group's replies, the last ones, are held against each other alone.
    """
    parts = rewards.view(-1, generations).split([generations - silent, silent], dim=1)
    spans = [part.amax(1) - part.amin(1) for part in parts if part.shape[1]]
    return torch.stack(spans).amax(0) < 1e-6
