"""Option scores of a local model to any requests, about several clips in one forward where its network allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Request, Scored
from audiocontrib.models.clip_batch import OptionTree
from audiocontrib.models.groups import Group, groups_of, take_rows
from audiocontrib.models.trie import packs

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

_Logprobs = list[list[float]]
"""Per option, one number for each of its tokens."""


def scored(model: LocalModel, requests: Sequence[Request]) -> list[Scored]:
    """Log-likelihoods of all options, in the order of the requests."""
    asked = model.ready(requests)
    for one in (request.ready for request in asked):
        if min(map(len, one.completions)) <= one.opened or len(set(map(tuple, one.completions))) < len(one.completions):
            raise AudiocontribError(f"{model.name}: its tokenizer makes the same tokens, or none, of two options")
    found: dict[int, Scored] = {}
    size = partial(_size, model, asked)
    for places in model.together(asked):
        waiting = sorted(groups_of(asked, places), key=size)
        while waiting:
            batch = take_rows(waiting, size, model.tokens_at_once if model.decoder.clips else 1)
            try:
                for place, options in _logprobs(model, asked, batch):
                    found[place] = _scored(asked[place], options)
            except Exception as error:
                if not model.made_smaller(error):
                    raise
                waiting += [left for group in batch if (left := [place for place in group if place not in found])]
                waiting.sort(key=size)
    return [found[place] for place in range(len(asked))]


def _scored(request: Request, options: _Logprobs) -> Scored:
    opened = request.ready.opened
    return Scored(
        logprobs=tuple(sum(option[opened:]) for option in options),
        tokens=tuple(len(option) - opened for option in options),
        prompt_tokens=request.ready.size,
    )


def _size(model: LocalModel, asked: Sequence[Request], group: Group) -> float:
    """Tokens of the row that a group is in one forward: its prefix, or without trees a whole prompt.

    Without trees several questions on a prefix, one on a kept prefix, or one that is too long to be padded stand alone.
    """
    one = asked[group[0]].ready
    if model.decoder.trees:
        return len(one.key[0])
    beside = len(group) == 1 and one.key not in model.prefixes
    fits = one.size + max(map(len, one.completions)) <= model.fast.longest
    return one.size if beside and fits else math.inf


def _logprobs(model: LocalModel, asked: Sequence[Request], batch: Sequence[Group]) -> Iterator[tuple[int, _Logprobs]]:
    """What is found of each request of some groups that stand side by side, as soon as it is."""
    decoder, budget = model.decoder, model.tokens_at_once
    if len(batch) > 1 and not decoder.trees:
        places = [place for (place,) in batch]
        requests = [asked[place] for place in places]
        prompts = [([*one.ready.key[0], *one.ready.suffix], model.features_of(one)) for one in requests]
        options = [one.ready.completions for one in requests]
        yield from zip(places, model.fast.whole_logprobs(prompts, options), strict=True)
        return
    rows: list[tuple[int, list[int], OptionTree]] = []
    prefixes = model.prefixes_of([(asked[group[0]], len(group)) for group in batch])
    for prefix, group in zip(prefixes, batch, strict=True):
        suffixes, options = [asked[p].ready.suffix for p in group], [asked[p].ready.completions for p in group]
        for part, tokens in packs(suffixes, options, budget):
            tree = OptionTree(prefix, [suffixes[i] for i in part], [options[i] for i in part])
            rows.append((tokens, [group[i] for i in part], tree))
    rows.sort(key=lambda row: row[0])
    while rows:
        chosen = take_rows(rows, lambda row: row[0], budget if decoder.clips and decoder.trees else 1)
        found = decoder.option_logprobs([tree for _, _, tree in chosen])
        for (_, places, _), values in zip(chosen, found, strict=True):
            yield from zip(places, values, strict=True)
