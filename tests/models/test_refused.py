"""Models that cannot be asked are refused by name, in one line, before their weights are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.lazy import lazy
from helpers.tiny_families import publish

from audiocontrib.errors import AudiocontribError
from audiocontrib.models.families import FAMILIES

auto = lazy("transformers.models.auto.modeling_auto")
extractors = lazy("transformers.models.auto.feature_extraction_auto")
configs = lazy("transformers.models.auto.configuration_auto")
load = lazy("audiocontrib.models.load")
refused = lazy("audiocontrib.models.refused")
text = lazy("audiocontrib.models.text")


def refusal(folder: Path) -> str:
    with pytest.raises(AudiocontribError) as caught:
        load.load_checkpoint(folder, device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
def test_types_are_refused_by_name(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    for kind, why in refused.REFUSED.items():
        assert kind in configs.CONFIG_MAPPING_NAMES  # a name that no checkpoint has would never be met
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        assert refusal(tmp_path) == f"model {tmp_path}: a model of type {kind} cannot be asked: {why}"
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))
    assert refusal(tmp_path).endswith("type t5 is neither a causal language model nor one of the audio-language models "
                                      "that are known here")  # fmt: skip


def test_what_hears_is_never_taken_for_a_text_model() -> None:
    """Of what transformers would load as a causal language model, all that it has a feature extractor for."""
    hears = set(extractors.FEATURE_EXTRACTOR_MAPPING_NAMES)
    taken = hears & set(auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    assert {"whisper", "gemma4"} <= taken
    assert taken <= {*FAMILIES, *refused.REFUSED}


def test_a_checkpoint_without_its_audio_part_is_a_text_model(tmp_path: Path) -> None:
    publish("gemma4_unified", tmp_path / "g")
    config = json.loads((tmp_path / "g" / "config.json").read_text())
    (tmp_path / "g" / "config.json").write_text(json.dumps(config | {"audio_config": None}))
    loaded = load.load_checkpoint(tmp_path / "g", device="cpu", check=False)
    assert isinstance(loaded, text.TextLanguageModel)
    assert "audio" not in loaded.capabilities


def test_a_checkpoint_without_its_audio_part_is_refused_where_it_would_hear_nothing(tmp_path: Path) -> None:
    publish("nemotron_h_omni", tmp_path / "n")  # whose class leaves features out that it cannot hear, silently
    config = json.loads((tmp_path / "n" / "config.json").read_text())
    (tmp_path / "n" / "config.json").write_text(json.dumps(config | {"audio_config": None}))
    assert "its config has no audio part" in refusal(tmp_path / "n")
