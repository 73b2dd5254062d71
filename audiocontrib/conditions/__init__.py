"""Conditions: what a model may hear and read."""

from audiocontrib.conditions.base import (
    CONDITIONS,
    Condition,
    borrows_clip,
    borrows_option,
    condition,
    find_condition,
    is_null,
    not_known,
    register_condition,
)
from audiocontrib.conditions.conflict import Conflict
from audiocontrib.conditions.dosed import Mask, Snr, SwapMask, SwapSnr
from audiocontrib.conditions.foreign import Foreign
from audiocontrib.conditions.others import other_condition
from audiocontrib.conditions.partners import Partners, partners_by_gold, partners_in_conflict
from audiocontrib.conditions.play import find_partners, play
from audiocontrib.conditions.standard import (
    Audio,
    Fragment,
    Noise,
    NoQuestion,
    OptionsOnly,
    Reverse,
    Silence,
    Swap,
    Text,
)

__all__ = [
    "CONDITIONS",
    "Audio",
    "Condition",
    "Conflict",
    "Foreign",
    "Fragment",
    "Mask",
    "NoQuestion",
    "Noise",
    "OptionsOnly",
    "Partners",
    "Reverse",
    "Silence",
    "Snr",
    "Swap",
    "SwapMask",
    "SwapSnr",
    "Text",
    "borrows_clip",
    "borrows_option",
    "condition",
    "find_condition",
    "find_partners",
    "is_null",
    "not_known",
    "other_condition",
    "partners_by_gold",
    "partners_in_conflict",
    "play",
    "register_condition",
]
