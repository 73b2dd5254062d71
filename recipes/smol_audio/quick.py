"""SmolLM2 with low-rank adapters, for training on processors: the same function as peft's, with less work.

Adapters are merged into the weights once a step, so a forward has no extra products; the backward takes the gradients
of the adapters from the same inputs. Weights and arithmetic are bfloat16, what is trained has float32 copies.
Rows are padded on the right, so that plain causal attention needs no mask.
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

    def hidden(self, x: Tensor, rows: int) -> Tensor:
        """Hidden states of ``rows`` rows of equal length; x and the result have shape (rows * length, hidden)."""
        length = len(x) // rows
        cos, sin = self.cos[:length, None], self.sin[:length, None]
        for number, layer in enumerate(self.layers):
            heard = self._product(UnitNorm.apply(x, self.eps), number, GROUPS[0], layer["input"])
            heard = heard.view(rows, length, self.heads + 2 * self.kv, self.width)
            turned, values = heard.split([self.heads + self.kv, self.kv], 2)
            first, second = turned.chunk(2, -1)
            turned = turned * cos + torch.cat([-second, first], -1) * sin
            query, key = turned.split([self.heads, self.kv], 2)
            key, values = (one.repeat_interleave(self.heads // self.kv, 2) for one in (key, values))
            mixed = functional.scaled_dot_product_attention(
                query.transpose(1, 2), key.transpose(1, 2), values.transpose(1, 2), is_causal=True
            )
            x = x + self._product(mixed.transpose(1, 2).reshape(len(x), -1), number, GROUPS[1], None)
            both = self._product(UnitNorm.apply(x, self.eps), number, GROUPS[2], layer["post"])
            gate, up = both.chunk(2, -1)
            x = x + self._product(functional.silu(gate) * up, number, GROUPS[3], None)
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
