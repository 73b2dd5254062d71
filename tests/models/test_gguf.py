"""GGUF files: unpacked once, by hash; an edited or half-written folder is made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.errors import AudiocontribError
from audiocontrib.models import load_model
from audiocontrib.models.base import Model

writer = lazy("gguf")
gguf = lazy("audiocontrib.models.gguf")
saved = lazy("safetensors.torch")
torch = lazy("torch")
WIDTH, HEADS, LAYERS = 32, 2, 1


def tiny_file(path: Path, seed: int = 0) -> Path:
    """A Llama of random weights with a tokenizer of bytes."""
    drawn = np.random.default_rng(seed)
    tokens = ["<unk>", "<s>", "</s>", *map(chr, [*range(33, 127), *range(161, 173), *range(174, 256)])]
    tokens += [*(chr(256 + n) for n in range(68)), "an", "ans"]
    made = writer.GGUFWriter(path, "llama")
    made.add_name("tiny")
    made.add_context_length(2_048)
    made.add_embedding_length(WIDTH)
    made.add_block_count(LAYERS)
    made.add_feed_forward_length(2 * WIDTH)
    made.add_head_count(HEADS)
    made.add_head_count_kv(HEADS)
    made.add_layer_norm_rms_eps(1e-5)
    made.add_rope_dimension_count(WIDTH // HEADS)
    made.add_vocab_size(len(tokens))
    made.add_tokenizer_model("gpt2")
    made.add_token_list(tokens)
    made.add_token_types([writer.TokenType.CONTROL] * 3 + [writer.TokenType.NORMAL] * (len(tokens) - 3))
    made.add_token_merges(["a n", "an s"])
    made.add_bos_token_id(1)
    made.add_eos_token_id(2)
    made.add_unk_token_id(0)
    shapes = {"token_embd": (len(tokens), WIDTH), "output": (len(tokens), WIDTH), "output_norm": (WIDTH,)}
    for name in ("attn_norm", "ffn_norm"):
        shapes[f"blk.0.{name}"] = (WIDTH,)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        shapes[f"blk.0.{name}"] = (WIDTH, WIDTH)
    shapes |= {f"blk.0.ffn_{n}": (2 * WIDTH, WIDTH) for n in ("gate", "up")} | {"blk.0.ffn_down": (WIDTH, 2 * WIDTH)}
    for name, shape in shapes.items():
        made.add_tensor(f"{name}.weight", drawn.normal(0, 0.3, shape).astype(np.float32))
    made.write_header_to_file()
    made.write_kv_data_to_file()
    made.write_tensors_to_file()
    made.close()
    return path


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUDIOCONTRIB_UNPACKED", str(tmp_path / "unpacked"))
    (tmp_path / "model").mkdir()
    return tiny_file(tmp_path / "model" / "tiny.gguf")


def loaded(file: Path) -> Model:
    return load_model(str(file), device="cpu", dtype="float32")


def weights(model: Model) -> dict[str, torch.Tensor]:
    return model.net.state_dict()  # type: ignore[attr-defined]


def folders(file: Path) -> list[Path]:
    return sorted(file.parent.parent.glob("unpacked/*"))


def test_the_second_start_reads_what_the_first_unpacked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loaded(file)
    monkeypatch.setattr(gguf, "load_network", lambda *given: pytest.fail("unpacked again"))
    second = loaded(file)
    assert first.fingerprint() == second.fingerprint()
    assert all(torch.equal(held, weights(second)[name]) for name, held in weights(first).items())
    [folder] = folders(file)
    assert {"model.safetensors", "config.json", "tokenizer.json", gguf.SEAL} <= {p.name for p in folder.iterdir()}


def test_it_is_the_model_that_transformers_reads_from_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = loaded(file)
    monkeypatch.setenv("AUDIOCONTRIB_UNPACKED", "/proc/no-such-place")
    direct = loaded(file)  # a folder that cannot be written costs the unpacking, and nothing else
    assert direct.fingerprint() == kept.fingerprint()
    assert all(torch.equal(held, weights(kept)[name]) for name, held in weights(direct).items())


@pytest.mark.parametrize("how", ["weights", "config", "seal", "more", "less"])
def test_a_folder_that_was_changed_is_made_again(file: Path, how: str) -> None:
    right = weights(loaded(file))
    [folder] = folders(file)
    if how == "weights":
        held = saved.load_file(folder / "model.safetensors")
        saved.save_file(
            {name: tensor + 1 for name, tensor in held.items()}, folder / "model.safetensors", {"format": "pt"}
        )
    elif how == "config":
        told = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(told | {"rms_norm_eps": 0.5}))
    elif how == "seal":
        (folder / gguf.SEAL).write_text("[]")
    elif how == "more":
        (folder / "chat_template.jinja").write_text("{{ 'Say A.' }}")
    else:
        (folder / "tokenizer.json").unlink()
    again = loaded(file)
    assert all(torch.equal(held, weights(again)[name]) for name, held in right.items())
    assert not (folder / "chat_template.jinja").exists()
    assert gguf._whole(folder)


def test_another_file_of_the_same_name_is_another_model(file: Path) -> None:
    first = loaded(file)
    tiny_file(file, seed=1)
    second = loaded(file)
    assert first.fingerprint() != second.fingerprint()
    assert not torch.equal(*(weights(m)["model.embed_tokens.weight"] for m in (first, second)))
    assert len(folders(file)) == 2


def test_a_file_that_holds_no_model_is_one_line(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(AudiocontribError, match=r"tiny\.gguf: cannot be loaded: .") as said:
        loaded(file)
    assert "\n" not in str(said.value)
    assert not folders(file)


def test_nothing_half_written_is_left(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("transformers.PreTrainedTokenizerBase.save_pretrained", full)
    loaded(file)
    assert not folders(file)
