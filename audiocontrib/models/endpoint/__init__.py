"""Models behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, commercial ones.

``address`` reads the name, ``client`` speaks HTTP, ``dialect`` says what a request looks like to this server and
``detect`` finds out by trying; options are scored by ``prompt_logprobs``, ``forced`` tokens or ``letters``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    from audiocontrib.models.endpoint.model import EndpointModel


def load_endpoint(parameter: str | None) -> EndpointModel:
    """The model at ``MODEL@URL[,option=value…]``; a few small requests find out what its server can do.

    Raises:
        UsageError: the text is no such address, or the server has no such model.
        AudiocontribError: the server cannot be reached or does not answer as an OpenAI-compatible one.

    Example:
        >>> load_endpoint("Qwen/Qwen2.5-Omni-7B@http://localhost:8000/v1,concurrency=64").name
        'Qwen/Qwen2.5-Omni-7B'
    """
    from audiocontrib.models.endpoint.address import Address

    if not parameter:
        raise UsageError(
            "endpoint: name model and server, as in endpoint:Qwen/Qwen2.5-Omni-7B@http://localhost:8000/v1"
        )
    address = Address.parse(parameter)
    key = address.secret()
    from audiocontrib.models.endpoint.client import Client
    from audiocontrib.models.endpoint.detect import detect
    from audiocontrib.models.endpoint.model import EndpointModel

    client = Client(address, key)
    card, found = client.run(detect(client, address.likelihood))
    return EndpointModel(address, client, card, found)
