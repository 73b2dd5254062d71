"""Drawing tokens: every reply has a generator of its own, so that a batch changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from audiocontrib.hashing import seeded
from audiocontrib.models.base import ReplyDraw


class Dice:
    """The chance of one reply.

    Args:
        draw: how it is drawn.
        salt: of the model: two models that are asked the same do not have the same luck.
    """

    def __init__(self, draw: ReplyDraw, salt: str) -> None:
        self.draw, self._chance = draw, seeded("reply", draw.seed, salt)

    def roll(self) -> float:
        """The next number, in [0, 1)."""
        return float(self._chance.random())


def draw_tokens(logits: Tensor, dice: Sequence[Dice | None]) -> list[int]:
    """The next token of each row: the likeliest, or where a row has dice, a drawn one.

    The token is where the distribution function over the vocabulary, in its own order, passes the roll: a change in
    the last digits of the logits, which another batch may bring, changes a token about as seldom as it is large.

    Args:
        logits: (rows, vocabulary).
    """
    tokens = logits.argmax(-1)
    drawn = [row for row, one in enumerate(dice) if one is not None]
    if drawn:
        held = [one for one in dice if one is not None]
        kept = kept_probabilities(
            logits[torch.tensor(drawn, device=logits.device)],
            torch.tensor([one.draw.temperature for one in held], device=logits.device),
            torch.tensor([one.draw.top_p for one in held], device=logits.device),
        )
        upto = kept.cumsum(-1)
        rolls = torch.tensor([one.roll() for one in held], dtype=upto.dtype, device=upto.device)
        found = torch.searchsorted(upto, (rolls * upto[:, -1])[:, None], right=True)[:, 0]
        last = kept.shape[-1] - 1 - (kept > 0).flip(-1).int().argmax(-1)  # where rounding reaches the very end
        tokens[torch.tensor(drawn, device=logits.device)] = torch.minimum(found, last)
    return [int(token) for token in tokens.tolist()]


def kept_probabilities(logits: Tensor, temperature: Tensor, top_p: Tensor) -> Tensor:
    """Softmax at a temperature, without the tokens beyond the likeliest that together have ``top_p``; (rows, V).

    The token that passes ``top_p`` is kept, and so the likeliest always is (Holtzman et al., arXiv 1904.09751). Rows
    are not normalised again.
    """
    p = (logits.double() / temperature[:, None]).softmax(-1)
    if bool((top_p >= 1).all()):
        return p
    sorted_p, order = p.sort(-1, descending=True)
    before = sorted_p.cumsum(-1) - sorted_p
    keep = torch.zeros_like(p, dtype=torch.bool).scatter(-1, order, before < top_p[:, None])
    return torch.where(keep, p, 0.0)
