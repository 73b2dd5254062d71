"""Which model answers: the name that is asked for, in the server's list and in each of its replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiocontrib.models.endpoint.address import Address

UNSTABLE = ("created", "permission")
"""Fields of a server's entry for a model that differ from one start to the next."""
SHOWN = 10
"""Names of a server's models that a message lists."""


def served_entry(address: Address, listed: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the server says of the model in its list; LookupError, with the names that there are, if it is not there."""
    if address.model not in listed:
        served = ", ".join(sorted(listed)[:SHOWN]) + (", …" if len(listed) > SHOWN else "")
        raise LookupError(
            f"no model is called {address.model!r}; there are: {served or 'none'}; listed=no asks for it all the same"
        )
    return {key: value for key, value in listed[address.model].items() if key not in UNSTABLE}


def other_name(address: Address, replying: str | None) -> str | None:
    """What is wrong with the name under which a reply came, in words; None: nothing."""
    if (replying is None and not address.answers_as) or replying == address.replying:
        return None
    said = "nobody's name" if replying is None else f"the name {replying!r}"
    return (
        f"the reply came under {said}, not under {address.replying!r}; if that is the same model, write answers_as="
        f"{replying or address.model}"
    )
