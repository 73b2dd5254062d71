"""Parts of cascades for tests: stand-ins that count, and tiny random checkpoints on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from audiocontrib.audio import Sound, make_sound
from audiocontrib.models import load_model
from audiocontrib.models.cascade.parts import ASSEMBLE, weights_folder
from helpers.lazy import lazy

if TYPE_CHECKING:
    from audiocontrib.models.cascade.recognise import Speech

cascade_recognise = lazy("audiocontrib.models.cascade.recognise")
torch = lazy("torch")
transformers = lazy("transformers")

END = "<|endoftext|>"
SPECIAL = [END, "<|startoftranscript|>", "<|en|>", "<|fr|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>",
           "<|startofprev|>", "<|nocaptions|>", "<|notimestamps|>"]  # fmt: skip
CLASSES = ("Silence", "Animal", "Dog", "Siren", "Speech")


def sound(seed: int = 0, seconds: float = 1.0, level: float = 0.1) -> Sound:
    return make_sound(level * np.random.default_rng(seed).standard_normal(round(16_000 * seconds)))


@dataclass
class FakeTagger:
    """Gives the same scores for every sound."""

    windows: list[dict[str, float]] = field(default_factory=lambda: [{"Dog": 0.9}])
    labels: tuple[str, ...] = CLASSES
    hop: float = 1.92
    sha256: str = "t"
    asked: int = 0

    def scores(self, sound: Sound) -> np.ndarray:
        self.asked += 1
        return np.array([[window.get(name, 0.0) for name in self.labels] for window in self.windows], dtype=np.float32)


@dataclass
class FakeRecogniser:
    """Hears the same words in every sound, and fails on some."""

    speech: Speech = field(default_factory=lambda: cascade_recognise.Speech("hello", "English", 0.1))
    fails_on: frozenset[str] = frozenset()
    sha256: str = "r"
    asked: int = 0

    def recognise(self, sound: Sound) -> Speech:
        self.asked += 1
        if sound.sha256 in self.fails_on:
            raise RuntimeError("the decoder ran into\na wall")
        return self.speech


def save_whisper(folder: Path) -> transformers.WhisperForConditionalGeneration:
    """A random Whisper of two languages, with all its files."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    ids = {name: tokenizer.token_to_id(name) for name in SPECIAL}
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"bos_token": END, "eos_token": END, "unk_token": END, "pad_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "WhisperTokenizer", **named}))
    torch.manual_seed(0)
    ends = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), ids[END])
    net = transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=tokenizer.get_vocab_size(), d_model=16, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
            num_mel_bins=80, decoder_start_token_id=ids[SPECIAL[1]], init_std=0.5, **ends,
        )
    )  # fmt: skip
    net.generation_config = transformers.GenerationConfig(
        **ends,
        decoder_start_token_id=ids[SPECIAL[1]],
        is_multilingual=True,
        lang_to_id={name: ids[name] for name in ("<|en|>", "<|fr|>")},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        no_timestamps_token_id=ids["<|notimestamps|>"],
        prev_sot_token_id=ids["<|startofprev|>"],
        max_length=448,
        return_timestamps=False,
        alignment_heads=[[0, 0]],
        suppress_tokens=[5],
        begin_suppress_tokens=[ids[END]],
    )
    net.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return net


def save_tagger(folder: Path) -> None:
    """A random audio classifier of CLASSES."""
    torch.manual_seed(0)
    labels = dict(enumerate(CLASSES))
    transformers.Wav2Vec2ForSequenceClassification(
        transformers.Wav2Vec2Config(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=(8, 8),
            conv_kernel=(10, 3), conv_stride=(10, 10), num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
            classifier_proj_size=8, num_labels=len(labels), id2label=labels, label2id={v: k for k, v in labels.items()},
        )
    ).save_pretrained(folder)  # fmt: skip
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)


def save_spectrogram_tagger(folder: Path) -> None:
    """The same as AudioSet's best-known classifier: an Audio Spectrogram Transformer, windows of 10.24 s."""
    torch.manual_seed(0)
    labels = dict(enumerate(CLASSES))
    transformers.ASTForAudioClassification(
        transformers.ASTConfig(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, frequency_stride=16,
            time_stride=16, num_labels=len(labels), id2label=labels, label2id={v: k for k, v in labels.items()},
        )
    ).save_pretrained(folder)  # fmt: skip
    transformers.ASTFeatureExtractor().save_pretrained(folder)


def save_reader(folder: Path) -> None:
    """A random causal language model."""
    tokenizer = load_model("tiny-qwen2-audio", device="cpu").tokenizer  # type: ignore[attr-defined]
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=8, initializer_range=0.3,
        )
    ).save_pretrained(folder)  # fmt: skip
    tokenizer.save_pretrained(folder)


def missing_weights(*names: str) -> str:
    """Why the tests with these parts, or those of cascade-small, cannot run; empty if they can. Wrong parts fail."""
    for name in names or ("whisper-base", "yamnet", "smollm2-135m"):
        if not (weights_folder() / name).is_dir():
            return f"{weights_folder()} holds no {name}; run: {ASSEMBLE}"
    return "" if find_spec("onnxruntime") else "onnxruntime is not installed"
