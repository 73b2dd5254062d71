"""Loading checkpoints: a folder or hub id -> a model, by the family its config names. Safetensors only."""

from __future__ import annotations

import glob
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.models import checkpoint_name
from audiocontrib.models.adapters import base_of, has_adapter, merge_adapter
from audiocontrib.models.check_once import check_once
from audiocontrib.models.families import FAMILIES, Family
from audiocontrib.models.gguf import unpacked
from audiocontrib.models.identity import checkpoint_files, files_sha256
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.models.local import LocalModel
from audiocontrib.models.refused import family_of, why_refused
from audiocontrib.models.template_date import with_fixed_date
from audiocontrib.models.text import TextLanguageModel
from audiocontrib.models.thinking import find_thinking, set_thinking
from audiocontrib.models.time_bound import TooSlow
from audiocontrib.models.weights import complete_network, load_network

LOG = logging.getLogger(__name__)
SETTINGS = ("config", "generation_config", "tokenizer_config", "processor_config", "preprocessor_config")
"""JSON files of settings. transformers does without most of them where it cannot read them, and says nothing."""
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load_checkpoint(
    where: str | Path,
    *,
    name: str | None = None,
    revision: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    attention: str | None = None,
    gguf_file: str | None = None,
    trust_remote_code: bool = False,
    check: bool = True,
    thinking: str = "auto",
) -> LocalModel:
    """A model from a checkpoint folder, a GGUF file or a hub id, or from ``BASE+ADAPTER``, each of them a folder or id.

    An adapter's own folder stands for the base model that its config names, with the adapter.

    Args:
        device: ``cuda``, ``cuda:1``, ``cpu``, …; a GPU is used if there is one.
        dtype: ``float32``, ``bfloat16`` or ``float16``; bfloat16 on a GPU and float32 on a CPU.
        attention: ``sdpa``, ``eager`` or ``flash_attention_2``; sdpa where the class has it. Flash attention takes no
            trees of tokens: long prompts on a GPU may gain, many options lose.
        trust_remote_code: run code that the checkpoint brings; off unless asked for.
        check: see :mod:`audiocontrib.models.self_check`; off where it is not to be asked.
        thinking: ``on`` or ``off`` by the chat template's own switch; ``auto``: as the template is.

    Raises:
        UsageError: its chat template has no switch for thinking.
        AudiocontribError: the folder holds no weights, the architecture is not supported, or its self-check refuses it.
    """
    named = where
    where = Path(where) if Path(where).exists() else where
    if isinstance(where, Path) and where.is_file() and where.suffix == ".gguf":
        where, gguf_file = where.parent, where.name
    device, dtype = _device_and_dtype(device, dtype)
    folder, adapter = _folders(where, revision, gguf_file)
    given = {"gguf_file": gguf_file, "trust_remote_code": trust_remote_code, "local_files_only": True}
    try:
        _check_settings(folder)
        held = unpacked(folder / gguf_file, DTYPES[dtype]) if gguf_file else None
        read, given["gguf_file"] = held or folder, None if held else gguf_file
        config = _config(read, named, given)
        family = family_of(config)
        net = _network(read, family, adapter, DTYPES[dtype], given, attention)
        reader = _reader(read, family, given)
        template_sha256, date = stable_hash([reader.chat_template or ""]), with_fixed_date(reader)
        set_thinking(reader, thinking)
        net = net.to(device).eval()
        name = name or checkpoint_name(where)
        identity = {
            "model_type": config.model_type,
            "class": type(net).__name__,
            "weights_sha256": _weights_hash(folder, gguf_file, family, adapter),
            "chat_template_sha256": template_sha256,
            "dtype": dtype,
            "attention": net.config._attn_implementation,
            "files": checkpoint_files(folder, code=trust_remote_code),
            **({"template_date": date} if date else {}),
            **({"thinking": thinking} if thinking != "auto" else {}),
            **({"adapter": checkpoint_files(adapter)} if adapter and adapter != folder else {}),
        }
        model = _model(name, net, reader, family, identity)
        model.think_as(find_thinking(reader, thinking))
    except Exception as error:  # whatever libraries make of files that do not fit together
        if isinstance(error, AudiocontribError) and not isinstance(error, TooSlow):
            raise
        raise AudiocontribError(f"model {named}: cannot be loaded: {one_line(error)}") from error
    if check:
        check_once(model)
    return model


def _device_and_dtype(device: str | None, dtype: str | None) -> tuple[str, str]:
    """What is not given is what suits this machine. AudiocontribError if the dtype is unknown."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or ("float32" if device == "cpu" else "bfloat16")
    if dtype not in DTYPES:
        raise AudiocontribError(f"dtype {dtype!r} is unknown; there are {', '.join(DTYPES)}")
    return device, dtype


def check_checkpoint(where: str | Path, *, revision: str | None = None) -> None:
    """What can be seen of a checkpoint without reading its weights: files, settings, and a class that can be asked.

    Raises:
        AudiocontribError: as :func:`load_checkpoint`.
    """
    where = Path(where) if Path(where).exists() else where
    if isinstance(where, Path) and where.is_file() and where.suffix == ".gguf":
        return
    folder, _ = _folders(where, revision, None)
    try:
        _check_settings(folder)
        _config(folder, where, {"local_files_only": True, "trust_remote_code": False})
    except Exception as error:  # as above
        if isinstance(error, AudiocontribError):
            raise
        raise AudiocontribError(f"model {where}: cannot be loaded: {one_line(error)}") from error


def _network(
    folder: Path,
    family: Family | None,
    adapter: Path | None,
    dtype: torch.dtype,
    given: dict[str, Any],
    attention: str | None,
) -> Any:
    """The network with all that belongs to it: an adapter that somebody trained, and the family's own parts."""
    net = load_network(folder, family, dtype, given | ({"attn_implementation": attention} if attention else {}))
    net = merge_adapter(net, adapter) if adapter else net
    if family:
        complete_network(net, folder, family)
    return net


def _config(folder: Path, where: str | Path, given: dict[str, Any]) -> Any:
    """The checkpoint's config; AudiocontribError if a model of such a config cannot be asked."""
    config = AutoConfig.from_pretrained(folder, **given)
    if why := why_refused(config, own_code=given["trust_remote_code"]):
        raise AudiocontribError(f"model {where}: {why}")
    return config


def _model(name: str, net: Any, reader: Any, family: Family | None, identity: dict[str, Any]) -> LocalModel:
    """The model; what is only known of it now is added to its identity."""
    tokenizer = reader.tokenizer if family else reader
    identity["tokenizer_sha256"] = stable_hash(tokenizer.get_vocab())
    model = (
        AudioLanguageModel(name, net, reader, family, identity)
        if family
        else TextLanguageModel(name, net, tokenizer, identity)
    )
    if model.writer and model.writer.why:
        identity["chat_style"] = asdict(model.writer.style)
        LOG.warning("%s: %s", name, model.writer.line)
    return model


def _reader(folder: Path, family: Family | None, given: dict[str, Any]) -> Any:
    """The processor, of a text model the tokenizer."""
    reader = family.processor().from_pretrained(folder) if family else AutoTokenizer.from_pretrained(folder, **given)
    _check_features(reader)
    return reader


def _check_settings(folder: Path) -> None:
    """ValueError if a file of settings cannot be read: the model would be another one without it."""
    for path in (folder / f"{name}.json" for name in SETTINGS):
        if not path.exists():
            continue
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise ValueError(f"{path.name} is no file with a JSON object")


def _check_features(reader: Any) -> None:
    """ValueError if the feature extractor adds random noise: the same clip would be another one each time."""
    dither = getattr(getattr(reader, "feature_extractor", None), "dither", 0.0)
    if dither:
        raise ValueError(f"its feature extractor adds random noise (dither is {dither}); set it to 0 in its config")


def _folders(where: str | Path, revision: str | None, gguf_file: str | None) -> tuple[Path, Path | None]:
    """The folder of the base weights, and that of an adapter that somebody trained on them."""
    base, plus, added = str(where).rpartition("+")
    if plus and not Path(where).exists():
        place = _folder(added, None, None, weights="adapter_model.safetensors")
        return _folder(Path(base) if Path(base).exists() else base, revision, gguf_file), place
    if not isinstance(where, Path) or not has_adapter(where):
        return _folder(where, revision, gguf_file), None
    if (where / "config.json").is_file():  # beside base weights: the family's own, or somebody's
        own = FAMILIES.get(_model_type(where))
        return _folder(where, revision, gguf_file), None if own and own.adapter == "" else where
    try:
        named = base_of(where)
        return _folder(Path(named) if Path(named).exists() else named, revision, gguf_file), where
    except (ValueError, AudiocontribError) as error:
        raise AudiocontribError(
            f"model {where}: an adapter without its base model: {one_line(error)}; give both as BASE+ADAPTER"
        ) from error


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type"))
    except (OSError, ValueError, AttributeError):
        return ""


def _folder(where: str | Path, revision: str | None, gguf_file: str | None, weights: str = "*.safetensors") -> Path:
    """The local folder of a checkpoint; downloaded from the hub if it is a hub id."""
    where = Path(where) if Path(where).exists() else where
    if isinstance(where, str):
        if where.startswith((".", "/", "~")):
            raise AudiocontribError(f"model {where}: no such folder or file")
        from huggingface_hub import snapshot_download

        patterns = [
            "*.json",
            "*.safetensors",
            "*.jinja",
            "*.txt",
            "*.model",
            "*.tiktoken",
            *([glob.escape(gguf_file)] if gguf_file else []),
        ]
        try:
            return Path(snapshot_download(where, revision=revision, allow_patterns=patterns))
        except Exception as error:  # the hub client raises many kinds; all mean that it is not to be had
            raise AudiocontribError(
                f"model {where}: no such folder, and not to be had from the hub ({type(error).__name__}); "
                "give the path of a checkpoint folder, or a name from `audiocontrib models`"
            ) from error
    if not _weight_files(where, gguf_file, weights):
        pickled = sorted(p.name for p in [*where.glob("*.bin"), *where.glob("*.pt"), *where.glob("*.pth")])
        hint = f" ({pickled[0]} is a pickle, which is never loaded: convert it to safetensors)" if pickled else ""
        raise AudiocontribError(f"model {where}: the folder holds no weights (*.safetensors){hint}")
    return where


def _weight_files(folder: Path, gguf_file: str | None, weights: str = "*.safetensors") -> list[Path]:
    if gguf_file:  # a name, never a pattern
        return [folder / gguf_file] if (folder / gguf_file).is_file() else []
    return sorted(folder.glob(weights))


def _weights_hash(folder: Path, gguf_file: str | None, family: Family | None, adapter: Path | None) -> str:
    files = _weight_files(folder, gguf_file)
    if family and family.adapter:
        files += _weight_files(folder / family.adapter, None)
    if adapter and adapter != folder:
        files += _weight_files(adapter, None)
    return files_sha256(files)
