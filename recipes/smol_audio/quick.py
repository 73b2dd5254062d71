"""SmolLM2 with low-rank adapters, for training on processors: the same function as peft's, with less work.

Adapters are merged into the weights once a step, so a forward has no extra products; the backward takes the gradients
of the adapters from the same inputs. Weights and arithmetic are bfloat16, what is trained has float32 copies.
Rows are padded on the right, so that causal attention needs no other mask.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

BF16 = torch.bfloat16
GROUPS = (("q_proj", "k_proj", "v_proj"), ("o_proj",), ("gate_proj", "up_proj"), ("down_proj",))
"""Linear layers that read the same input are one product."""


class MergedProduct(torch.autograd.Function):
    """x -> x W^T, with W = (base + scale B A) norm; gives the gradients of x, and of each A and B.

    Shapes: x (n, in), weight (out, in), norm (in,) or None, A (rank, in), B (rows, rank); all B's rows are out.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, norm: Tensor | None, scale: float, *pairs: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight, norm, *pairs)
        ctx.scale = scale
        return x @ weight.t()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        x, weight, norm, *pairs = ctx.saved_tensors
        down, up = pairs[0::2], pairs[1::2]
        plain = x if norm is None else x * norm
        inner = plain @ torch.cat(down).t()  # (n, ranks)
        outer = []
        grads: list[Tensor] = []
        at = row = 0
        for one, other in zip(down, up, strict=True):
            part = grad[:, row : row + len(other)]
            grads += [torch.empty(0), (part.t() @ inner[:, at : at + len(one)]).float() * ctx.scale]
            outer.append(part @ other)
            at, row = at + len(one), row + len(other)
        grads[0::2] = (torch.cat(outer, 1).t() @ plain).float().mul_(ctx.scale).split([len(one) for one in down])
        return grad @ weight, None, None, None, *grads


class UnitNorm(torch.autograd.Function):
    """x -> x / rms(x), over the last dimension; the norm's weight is in the product that follows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        rate = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps)
        y = (x * rate).to(x.dtype)
        ctx.save_for_backward(y, rate)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        y, rate = ctx.saved_tensors
        mean = (grad * y).mean(-1, keepdim=True, dtype=torch.float32)
        return ((grad - y * mean.to(y.dtype)) * rate.to(y.dtype)), None


class Attention(torch.autograd.Function):
    """Queries, keys and values in one row each -> what is attended to: rotary positions, groups of heads, causal.

    Written out, since scaled_dot_product_attention takes three times as long on a processor, forward and backward.
    Shapes: (rows * length, (heads + 2 kv) * width) -> (rows * length, heads * width), with a mask of
    (1 or rows * kv, group * length, length).
    """

    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, rows: int, heads: int, kv: int
    ) -> Tensor:
        width = cos.shape[-1]
        x = qkv.view(rows, len(qkv) // rows, heads + 2 * kv, width)
        turned = x[:, :, : heads + kv]
        turned = turned * cos + _turn(turned) * sin
        query = _by_group(turned[:, :, :heads], kv)
        key, value = _by_group(turned[:, :, heads:], kv), _by_group(x[:, :, heads + kv :], kv)
        scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=width**-0.5)
        share = scores.softmax(-1)
        ctx.save_for_backward(query, key, value, share, cos, sin)
        ctx.sizes = rows, heads, kv
        return _by_row(torch.bmm(share, value), rows, heads).reshape(len(qkv), heads * width)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        query, key, value, share, cos, sin = ctx.saved_tensors
        rows, heads, kv = ctx.sizes
        width = cos.shape[-1]
        given = _by_group(grad.view(rows, len(grad) // rows, heads, width), kv)
        of_value = torch.bmm(share.transpose(1, 2), given)
        of_share = torch.bmm(given, value.transpose(1, 2))
        scores = torch._softmax_backward_data(of_share, share, -1, share.dtype).mul_(width**-0.5)
        of_query, of_key = torch.bmm(scores, key), torch.bmm(scores.transpose(1, 2), query)
        turned = torch.cat([_by_row(of_query, rows, heads), _by_row(of_key, rows, kv)], 2)
        back = turned * cos - _turn(turned * sin)
        whole = torch.cat([back, _by_row(of_value, rows, kv)], 2).view(len(grad), -1)
        return whole, None, None, None, None, None, None


def _turn(x: Tensor) -> Tensor:
    """(a, b) -> (-b, a), the halves of the last dimension; its transpose is its negative."""
    first, second = x.chunk(2, -1)
    return torch.cat([-second, first], -1)


def _by_group(x: Tensor, kv: int) -> Tensor:
    """(rows, length, heads, width) -> (rows * kv, heads / kv * length, width): a key serves heads beside each other."""
    rows, length, heads, width = x.shape
    return x.view(rows, length, kv, heads // kv, width).permute(0, 2, 3, 1, 4).reshape(rows * kv, -1, width)


def _by_row(x: Tensor, rows: int, heads: int) -> Tensor:
    """The inverse."""
    kv, width = len(x) // rows, x.shape[-1]
    return x.view(rows, kv, heads // kv, -1, width).permute(0, 3, 1, 2, 4).flatten(2, 3)


class Gated(torch.autograd.Function):
    """(gate, up), side by side -> silu(gate) * up."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, -1)
        return functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        share = torch.sigmoid(gate)
        passed = gate * share
        made = torch.empty_like(both)
        torch.mul(grad, passed, out=made[:, both.shape[1] // 2 :])
        # d silu = share (1 + gate (1 - share)) = share + passed (1 - share)
        torch.mul(grad * up, share.add_(passed - passed * share), out=made[:, : both.shape[1] // 2])
        return made


class QuickDecoder:
    """The layers of a Llama, their adapters, and the projector.

    Args:
        net: the base, a Qwen2AudioForConditionalGeneration with a Llama in it.
        rank, alpha: of the adapters on all linear layers.
    """

    def __init__(self, net: Any, rank: int, alpha: int, seed: int) -> None:
        text = net.config.text_config
        self.heads, self.kv, self.width = text.num_attention_heads, text.num_key_value_heads, text.head_dim
        self.eps, self.scale, self.rank, self.alpha = text.rms_norm_eps, alpha / rank, rank, alpha
        self.words = net.model.language_model.embed_tokens.weight.detach().to(BF16)
        self.last_norm = net.model.language_model.norm.weight.detach().to(BF16)
        self.layers = [_base(layer) for layer in net.model.language_model.layers]
        generator = torch.Generator().manual_seed(seed)
        self.adapters: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers):
            for name, weight in layer["weights"].items():
                rows, columns = weight.shape
                down = (torch.rand(rank, columns, generator=generator) * 2 - 1) / columns**0.5
                self.adapters[f"{number}.{name}.A"] = down.requires_grad_()
                self.adapters[f"{number}.{name}.B"] = torch.zeros(rows, rank, requires_grad=True)
        self.projector = {
            "weight": torch.zeros(text.hidden_size, net.config.audio_config.d_model, requires_grad=True),
            "bias": torch.zeros(text.hidden_size, requires_grad=True),
        }
        half = 1.0 / (text.rope_parameters["rope_theta"] ** (torch.arange(0, self.width, 2).float() / self.width))
        angles = torch.arange(2048).float()[:, None] * half
        self.cos, self.sin = (torch.cat([f(angles)] * 2, -1).to(BF16) for f in (torch.cos, torch.sin))
        self.merge()

    def parameters(self) -> Iterator[tuple[str, Tensor]]:
        """All that is trained, float32."""
        yield from self.adapters.items()
        yield from ((f"projector.{name}", value) for name, value in self.projector.items())

    def merge(self) -> None:
        """Put the adapters, as they are now, into the weights; after every step."""
        with torch.no_grad():
            self.low = {name: value.detach().to(BF16) for name, value in self.adapters.items()}
            for number, layer in enumerate(self.layers):
                for group, norm in zip(GROUPS, (layer["input"], None, layer["post"], None), strict=True):
                    parts = []
                    for name in group:
                        down, up = self.low[f"{number}.{name}.A"], self.low[f"{number}.{name}.B"]
                        parts.append(layer["weights"][name] + (up @ down) * self.scale)
                    whole = torch.cat(parts)
                    layer[group] = whole if norm is None else whole * norm

    def _product(self, x: Tensor, number: int, group: tuple[str, ...], norm: Tensor | None) -> Tensor:
        pairs = [self.adapters[f"{number}.{name}.{side}"] for name in group for side in "AB"]
        return Product.apply(x, self.layers[number][group], norm, self.scale, self.low, number, group, *pairs)

    def hidden(self, x: Tensor, rows: int, branch: Tensor | None = None) -> Tensor:
        """Hidden states of ``rows`` rows of equal length; x and the result have shape (rows * length, hidden).

        Args:
            branch: shape (rows, length), 0 for what all of a row sees and then 1, 2, … for what sees only that and
                itself; the positions of each go on where the 0s end. Without it, each token sees all before it.
        """
        length = len(x) // rows
        seen = torch.ones(length, length, dtype=torch.bool).tril()[None]
        places = torch.arange(length)[None]
        if branch is not None:
            seen = seen & ((branch[:, None] == 0) | (branch[:, None] == branch[:, :, None]))
            same = branch[:, None] == branch[:, :, None]
            inside = (same & seen).sum(2) - 1
            places = torch.where(branch == 0, inside, inside + (branch == 0).sum(1, keepdim=True))
        cos, sin = self.cos[places][:, :, None], self.sin[places][:, :, None]
        mask = torch.zeros(seen.shape, dtype=x.dtype).masked_fill(~seen, torch.finfo(x.dtype).min)
        mask = mask.repeat_interleave(self.kv if len(mask) > 1 else 1, 0).repeat(1, self.heads // self.kv, 1)
        for number, layer in enumerate(self.layers):
            three = self._product(UnitNorm.apply(x, self.eps), number, GROUPS[0], layer["input"])
            mixed = Attention.apply(three, cos, sin, mask, rows, self.heads, self.kv)
            x = x + self._product(mixed, number, GROUPS[1], None)
            both = self._product(UnitNorm.apply(x, self.eps), number, GROUPS[2], layer["post"])
            x = x + self._product(Gated.apply(both), number, GROUPS[3], None)
        return UnitNorm.apply(x, self.eps) * self.last_norm

    def heard(self, features: Tensor) -> Tensor:
        """The projector: (n, 512) -> (n, hidden)."""
        return functional.linear(features.float(), self.projector["weight"], self.projector["bias"]).to(BF16)

    def logits(self, hidden: Tensor) -> Tensor:
        """Of the next token, float32."""
        return (hidden @ self.words.t()).float()


class Product(torch.autograd.Function):
    """As :class:`MergedProduct`, its adapters named, so that their bfloat16 copies are used."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, norm: Tensor | None, scale: float, low: dict[str, Tensor], number: int,
        group: tuple[str, ...], *pairs: Tensor,
    ) -> Tensor:  # fmt: skip
        copies = [low[f"{number}.{name}.{side}"] for name in group for side in "AB"]
        return MergedProduct.forward(ctx, x, weight, norm, scale, *copies)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        (
            x,
            *_,
        ) = made = MergedProduct.backward(ctx, grad)
        return x, None, None, None, None, None, None, *made[4:]


def _base(layer: Any) -> dict[Any, Any]:
    names = [name for group in GROUPS for name in group]
    weights = {name: getattr(layer.mlp if name in layer.mlp._modules else layer.self_attn, name) for name in names}
    return {
        "weights": {name: linear.weight.detach().to(BF16) for name, linear in weights.items()},
        "input": layer.input_layernorm.weight.detach().to(BF16),
        "post": layer.post_attention_layernorm.weight.detach().to(BF16),
    }
