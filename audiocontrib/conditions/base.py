"""What a condition is: what a model may hear and read. Values that are registered by name, serialise and are seeded.

A condition is written ``name`` or ``name:parameter``, e.g. ``silence``, ``silence:matched``,
``noise:-40``, ``clip:0-2.5``, ``swap:7``. The same item, condition and seed give the same samples on
every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, ClassVar, Self

from audiocontrib.audio import Sound
from audiocontrib.conditions.others import OTHER, other_condition
from audiocontrib.conditions.partners import Partners, partners_by_gold
from audiocontrib.errors import UsageError, code_place, one_line
from audiocontrib.items import Item
from audiocontrib.registry import Registry


@dataclass(frozen=True, slots=True)
class Condition:
    """Base of all conditions; by itself it plays the item's own clip.

    A class of one's own says its ``name`` and ``hears_own_clip``, and what it plays (:meth:`hear`).

    Example:
        >>> @register_condition
        ... @dataclass(frozen=True, slots=True)
        ... class Beep(Condition):
        ...     name: ClassVar[str] = "beep"
        ...     hears_own_clip: ClassVar[bool] = False
        ...
        ...     def hear(self, clip, item_id):
        ...         return make_sound(np.sin(np.arange(16_000) * 0.3))
    """

    name: ClassVar[str]
    hears_own_clip: ClassVar[bool]
    """Whether the item's own clip, or some of it, can be heard. All that is said of conditions without the audio
    follows this."""
    borrows_clip: ClassVar[bool] = False
    """Whether another item's clip is played instead, as :meth:`partners` finds it."""
    borrows_option: ClassVar[bool] = False
    """Whether another item's gold is offered as one option more, of the item that :meth:`partners` finds."""
    has_audio: ClassVar[bool] = True
    """Whether the message holds an audio part at all."""
    shows_question: ClassVar[bool] = True
    control: ClassVar[bool] = False
    """Whether it only means something beside another condition: then it is no null for the audio."""

    @property
    def dose(self) -> tuple[str, float] | None:
        """What is taken away of a clip, and how much: a scale and a place on it; None: nothing, or all of it."""
        return None

    @property
    def needs_clip(self) -> bool:
        """Whether the samples depend on a recording (the item's own or a borrowed one)."""
        return self.has_audio

    @property
    def spec(self) -> str:
        """How the condition is written; ``condition(c.spec) == c``."""
        return self.name

    @classmethod
    def parse(cls, parameter: str | None) -> Self:
        """The condition from the text after the colon; ValueError if it cannot be read."""
        if parameter is not None:
            raise ValueError("it takes no parameter")
        return cls()

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:
        """What is played: None without an audio part. ``clip`` is given where ``needs_clip``."""
        return clip if self.has_audio else None

    def partners(self, items: Sequence[Item]) -> Partners:
        """Where it borrows a clip: from an item to the one whose clip is played. By default as under ``swap``."""
        return partners_by_gold(items)

    def __str__(self) -> str:
        return self.spec


CONDITIONS: Registry[type[Condition]] = Registry("condition")
NAME = re.compile(r"[a-z][a-z0-9_-]*")


def register_condition(cls: type[Condition]) -> type[Condition]:
    """File a condition class under its ``name``.

    Raises:
        UsageError: it does not say what it must, or is no frozen dataclass.
    """
    who = f"the condition {getattr(cls, '__name__', cls)!r}"
    if not (isinstance(cls, type) and issubclass(cls, Condition)):
        raise UsageError(f"{who} is no subclass of Condition")
    name = getattr(cls, "name", None)
    if not (isinstance(name, str) and NAME.fullmatch(name)) or name == OTHER:
        raise UsageError(f"{who} needs a name in small letters, digits, - and _, such as name: ClassVar[str] = 'beep'")
    if not isinstance(getattr(cls, "hears_own_clip", None), bool):
        raise UsageError(
            f"{who} must say hears_own_clip: True if the item's own clip can be heard under it, else False"
        )
    if _said_above(cls, "hears_own_clip", "hear"):
        raise UsageError(f"{who} plays a sound of its own (hear), so it must say hears_own_clip itself")
    for flag in ("borrows_clip", "borrows_option", "has_audio", "shows_question", "control"):
        if not isinstance(getattr(cls, flag), bool):
            raise UsageError(f"{who}: {flag} is {getattr(cls, flag)!r}, but is True or False")
    if cls.hears_own_clip and not cls.has_audio:
        raise UsageError(f"{who} has no audio, so the item's own clip cannot be heard under it")
    if cls.borrows_clip and (cls.hears_own_clip or not cls.has_audio):
        raise UsageError(f"{who} borrows a clip, so it plays audio and does not hear the item's own")
    if cls.borrows_option and cls.has_audio:
        raise UsageError(f"{who} borrows an option, so it has no audio: has_audio: ClassVar[bool] = False")
    if not (is_dataclass(cls) and cls.__dataclass_params__.frozen):  # type: ignore[attr-defined]
        raise UsageError(f"{who} must be a frozen dataclass: @dataclass(frozen=True, slots=True)")
    return CONDITIONS.register(name)(cls)


def _said_above(cls: type, name: str, beside: str) -> bool:
    """Whether a class takes ``name`` from a class above the one that it takes ``beside`` from."""
    above, below = (
        next((i for i, one in enumerate(cls.__mro__) if key in vars(one)), len(cls.__mro__)) for key in (name, beside)
    )
    return above > below


def condition(spec: str | Condition) -> Condition:
    """The condition written as ``spec``; UsageError with the reason if there is none.

    A condition itself is given back, if its class is registered and what it is written as means the same.

    Example:
        >>> ac.condition("clip:0-5").spec
        'clip:0-5'
    """
    if isinstance(spec, Condition):
        return _checked(spec, repr(spec))
    if not isinstance(spec, str):
        raise UsageError(f"{spec!r} is no condition; write its name, such as 'silence'")
    name, colon, parameter = spec.strip().partition(":")
    kind = CONDITIONS.find(name)
    found = _parsed(kind, spec, parameter if colon else None)
    if not isinstance(found, Condition):
        raise UsageError(f"condition {spec!r}: its parse() gave {type(found).__name__}, not a condition")
    return _checked(found, repr(spec))


def _parsed(kind: type[Condition], spec: str, parameter: str | None) -> Any:
    try:
        return kind.parse(parameter)
    except ValueError as error:
        raise UsageError(f"condition {spec!r}: {error}") from error
    except Exception as error:
        raise UsageError(f"condition {spec!r}: its parse() fails: {code_place(error)}{one_line(error)}") from error


def _checked(made: Condition, given: str) -> Condition:
    """The condition, if it can be written down and read again: that is how a run knows it."""
    kind = type(made)
    if CONDITIONS.get(getattr(kind, "name", "")) is not kind:
        raise UsageError(f"condition {given}: its class {kind.__name__} is not registered; use @register_condition")
    try:
        written = made.spec
    except Exception as error:
        raise UsageError(f"condition {given}: its spec fails: {code_place(error)}{one_line(error)}") from error
    name, colon, parameter = written.partition(":") if isinstance(written, str) else ("", "", "")
    if name != kind.name or written != " ".join(written.split()):
        raise UsageError(
            f"condition {given}: its spec is {written!r}, but must be {kind.name}, or {kind.name}:PARAMETER"
        )
    if (again := _parsed(kind, written, parameter if colon else None)) != made:
        raise UsageError(f"condition {given}: its spec is {written!r}, which is read as {again!r}; they must be equal")
    return made


def find_condition(spec: str) -> Condition | None:
    """The condition written as ``spec``, None if it is not known here: a run may hold those of another's plugin."""
    try:
        return condition(spec)
    except UsageError:
        return None


def is_null(spec: str) -> bool:
    """Whether the question is asked in full and the item's own clip cannot be heard: a null for the audio.

    False for a control of another condition, and for a condition that is not known here.
    """
    found = find_condition(spec)
    heard = found is not None and (found.hears_own_clip or found.borrows_option or found.control)
    return found is not None and found.shows_question and not heard


def borrows_clip(spec: str) -> bool:
    """Whether another item's clip is played; False for a condition that is not known here."""
    found = find_condition(spec)
    return found is not None and found.borrows_clip


def borrows_option(spec: str) -> bool:
    """Whether one option more is offered than the item has; False for a condition that is not known here."""
    found = find_condition(spec)
    return found is not None and found.borrows_option


def not_known(specs: Iterable[str]) -> str | None:
    """A sentence on conditions that are not known here, None if all are: no measure says what they do."""
    unknown = sorted(spec for spec in set(specs) if find_condition(spec) is None)
    if not unknown:
        return None
    one = len(unknown) == 1
    whose = "of another tool" if all(map(other_condition, unknown)) else "of a plugin that is not loaded?"
    return (
        f"the condition{'' if one else 's'} {', '.join(unknown)} {'is' if one else 'are'} not known here ({whose}): "
        f"{'it counts' if one else 'they count'} neither as with nor as without the audio"
    )
