"""What a condition plays and whose clip it borrows, checked: the class may be somebody's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiocontrib.audio import Sound, make_sound
from audiocontrib.conditions.base import Condition
from audiocontrib.conditions.partners import Partners
from audiocontrib.errors import AudiocontribError, BadAudio, code_place, one_line
from audiocontrib.items import Item
from audiocontrib.registry import is_others


def play(kind: Condition, clip: Sound | None, item_id: str) -> Sound | None:
    """What is played to an item under a condition.

    Raises:
        BadAudio: the condition found nothing to play in this clip.
        AudiocontribError: the condition itself is at fault.
    """
    try:
        sound = kind.hear(clip, item_id)
    except BadAudio:
        raise
    except Exception as error:
        raise _failed(kind, "hear", item_id, error) from error
    fault = ""
    if not kind.has_audio:
        fault = "" if sound is None else "plays a sound, although it says has_audio = False"
    elif not isinstance(sound, Sound):
        fault = f"gave {type(sound).__name__}, not a Sound; make one with make_sound(samples)"
    elif sound.samples.ndim != 1 or not len(sound.samples):
        fault = f"gave samples of shape {sound.samples.shape}; they are mono, (n,), at 16 kHz"
    elif sound.samples.dtype != np.float32:
        fault = f"gave samples of {sound.samples.dtype}, not float32; make the Sound with make_sound(samples)"
    elif not np.isfinite(sound.samples).all():
        fault = "gave samples that are not finite numbers"
    elif is_others(kind) and not _same_again(kind, clip, item_id, sound):
        fault = "gives another sound each time for the same item; draw by audiocontrib.hashing.seeded(seed, item_id)"
    if fault:
        raise AudiocontribError(f"condition {kind.spec!r} {fault} (item {item_id})")
    return sound


def _same_again(kind: Condition, clip: Sound | None, item_id: str, sound: Sound) -> bool:
    """Whether the same is played when it is asked again; and the hash that stands for it is that of the samples."""
    try:
        again = kind.hear(clip, item_id)
    except Exception as error:
        raise _failed(kind, "hear", item_id, error) from error
    first = make_sound(sound.samples).sha256
    return first == sound.sha256 and isinstance(again, Sound) and make_sound(again.samples).sha256 == first


def find_partners(kind: Condition, items: Sequence[Item]) -> Partners:
    """Whose clip a condition borrows for each item.

    Raises:
        AudiocontribError: the condition itself is at fault; also when the function is called.
    """
    try:
        find = kind.partners(items)
        twin = kind.partners(items) if is_others(kind) else find
    except Exception as error:
        raise _failed(kind, "partners", "all items", error) from error
    if not callable(find):
        raise AudiocontribError(
            f"condition {kind.spec!r}: partners() gave {type(find).__name__}, not a function from an item to another"
        )

    def partner(item: Item) -> Item | None:
        try:
            found = find(item)
            other = found if twin is find else twin(item)
        except Exception as error:
            raise _failed(kind, "partners", item.id, error) from error
        fault = ""
        if getattr(found, "id", None) != getattr(other, "id", None):
            fault = "another one each time"
        elif found is None:
            return None
        elif not isinstance(found, Item):
            fault = f"{type(found).__name__}, not an item or None"
        elif found.audio is None and kind.borrows_clip:
            fault = f"{found.id}, which has no clip"
        elif found.answer is None and kind.borrows_option:
            fault = f"{found.id}, which has no key"
        elif found.clip_id == item.clip_id:
            fault = f"the item's own clip ({found.id}); None means that no other clip can stand in"
        if fault:
            raise AudiocontribError(f"condition {kind.spec!r}: the partner of {item.id} is {fault}")
        return found

    return partner


def _failed(kind: Condition, method: str, where: str, error: Exception) -> AudiocontribError:
    return AudiocontribError(
        f"condition {kind.spec!r}: {method}() fails on {where}: {code_place(error)}{one_line(error)}"
    )
