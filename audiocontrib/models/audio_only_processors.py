"""Published processors without their image and video parts, which need torchvision.

For text and audio they run the same code as the published ones, and they load from the published checkpoint
folders as well as from our own.
"""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import (
    Gemma3nProcessor,
    Gemma4Processor,
    Phi4MultimodalProcessor,
    Qwen2_5OmniProcessor,
    Qwen3OmniMoeProcessor,
)
from transformers.processing_utils import ProcessorMixin


class _Nothing:
    """Stands where a class asks its image or video processor for the names of its tensors."""

    model_input_names: ClassVar[list[str]] = []


class HeardAlone(ProcessorMixin):
    """Between a published class and ProcessorMixin: parts that were left out do not reach the latter.

    ProcessorMixin reads from the signature of the outermost ``__init__`` which parts there are to load.
    """

    image_processor = video_processor = _Nothing

    def __init__(self, *parts: Any, **named: Any) -> None:
        given = {name: part for name, part in named.items() if part is not None or name == "chat_template"}
        super().__init__(*[part for part in parts if part is not None], **given)


class AudioOnlyOmniProcessor(Qwen2_5OmniProcessor, HeardAlone):
    """Qwen2.5-Omni."""

    def __init__(self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        super().__init__(feature_extractor=feature_extractor, tokenizer=tokenizer, chat_template=chat_template)


class AudioOnlyOmni3Processor(Qwen3OmniMoeProcessor, HeardAlone):
    """Qwen3-Omni."""

    def __init__(self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        super().__init__(feature_extractor=feature_extractor, tokenizer=tokenizer, chat_template=chat_template)


class AudioOnlyPhi4Processor(Phi4MultimodalProcessor, HeardAlone):
    """Phi-4-multimodal."""

    def __init__(self, audio_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        super().__init__(None, audio_processor, tokenizer, chat_template=chat_template)


class AudioOnlyGemma3nProcessor(Gemma3nProcessor, HeardAlone):
    """Gemma 3n."""

    def __init__(
        self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None, **settings: Any
    ) -> None:
        super().__init__(feature_extractor, None, tokenizer, chat_template=chat_template, **settings)


class AudioOnlyGemma4Processor(Gemma4Processor, HeardAlone):
    """Gemma 4."""

    def __init__(
        self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None, **settings: Any
    ) -> None:
        super().__init__(feature_extractor, None, tokenizer, None, chat_template=chat_template, **settings)
