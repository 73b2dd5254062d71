"""More of :mod:`audiocontrib.models.audio_only_processors`: Gemma 4 unified, dots3, Inkling, Nemotron."""

from __future__ import annotations

from typing import Any

from transformers import (
    Dots3NoteProcessor,
    Gemma4UnifiedProcessor,
    InklingProcessor,
    NemotronH_Omni_Reasoning_V3Processor,
)

from audiocontrib.models.audio_only_processors import HeardAlone


class AudioOnlyGemma4UnifiedProcessor(Gemma4UnifiedProcessor, HeardAlone):
    """Gemma 4 unified."""

    def __init__(
        self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None, **settings: Any
    ) -> None:
        super().__init__(feature_extractor, None, tokenizer, None, chat_template=chat_template, **settings)


class AudioOnlyDots3Processor(Dots3NoteProcessor, HeardAlone):
    """dots3 note."""

    def __init__(self, tokenizer: Any = None, feature_extractor: Any = None, chat_template: Any = None) -> None:
        super().__init__(tokenizer=tokenizer, feature_extractor=feature_extractor, chat_template=chat_template)


class AudioOnlyInklingProcessor(InklingProcessor, HeardAlone):
    """Inkling."""

    def __init__(
        self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None, **settings: Any
    ) -> None:
        super().__init__(feature_extractor, None, tokenizer, chat_template=chat_template, **settings)


class AudioOnlyNemotronProcessor(NemotronH_Omni_Reasoning_V3Processor, HeardAlone):
    """Nemotron H Omni."""

    def __init__(
        self, tokenizer: Any = None, feature_extractor: Any = None, chat_template: Any = None, **settings: Any
    ) -> None:
        super().__init__(None, None, tokenizer, feature_extractor, chat_template=chat_template, **settings)
