"""What a model is to the rest: something with a name that answers requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from audiocontrib.audio import Sound
from audiocontrib.conditions import Condition
from audiocontrib.errors import UsageError
from audiocontrib.items import Item
from audiocontrib.models.source_code import simple_arguments, source_hashes
from audiocontrib.prompts import Prompt


@dataclass(frozen=True, slots=True)
class ReplyDraw:
    """How one reply is drawn. The same seed gives the same reply, whatever else is in the batch."""

    temperature: float
    """Above 0: logits are divided by it."""
    top_p: float = 1.0
    """Only the likeliest tokens that together have this probability; 1: all."""
    seed: int = 0
    """Of this reply alone, in [0, 2³¹): servers take no larger one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one model: what it reads and hears, and which item it stands for.

    Models answer from ``prompt`` and ``sound`` alone. ``item`` is there for identity, and for mock
    models, which plant behaviour and so must know the gold option.
    """

    item: Item
    condition: Condition
    order: int
    prompt: Prompt
    sound: Sound | None
    partner_id: str | None = None
    ready: Any = None
    """What the model's ``prepare`` made of it; None where it made nothing, or was not called."""
    repeat: int = 0
    """Which of the replies to the same question it is to be."""
    draw: ReplyDraw | None = None
    """How the reply is drawn; None: greedily. Only models that can sample get one."""
    think_tokens: int | None = None
    """Tokens that the thought before the answer may have; then it is closed, and the answer asked. None: it has no
    bound of its own. Only models that can be held to it get one."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-likelihoods of the options, in the order shown."""

    logprobs: tuple[float, ...]
    """Natural log of p(option + closing tag | prompt, opening tag); summed over tokens."""
    tokens: tuple[int, ...]
    """Tokens that each of those sums runs over, at least 1."""
    prompt_tokens: int | None = None
    evidence: str | None = None
    """What a cascade's listening parts found."""
    thought: str | None = None
    """What was thought before the options were scored."""
    thought_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """A reply: greedy, or drawn as the request says."""

    text: str
    prompt_tokens: int | None = None
    evidence: str | None = None
    """What a cascade's listening parts found."""
    finish: str | None = None
    """How it ended: ``stop``, ``length``, ``filter``, ``error`` or ``other``; None: not known. ``filter`` and ``error``
    are failures."""
    thought: str | None = None
    """What was thought aloud, where it is known apart from the text; what stands in the text is found there."""
    thought_tokens: int | None = None


class Model:
    """Anything that answers. Write a subclass with ``generate``, ``likelihood`` or both; all else has a default.

    Answers are checked: one that is not as described becomes a failed row with the reason, never a choice. If a batch
    raises, or its answers cannot be told apart, its requests are asked one by one.

    Example:
        >>> class First(Model):
        ...     def generate(self, requests, max_new_tokens=128):
        ...         return [Generated(r.prompt.completion(r.prompt.options[0])) for r in requests]
        >>> First().name, sorted(First().capabilities)
        ('First', ['audio', 'generate'])
    """

    name: str = ""
    """Short, unique in a run; the ``model`` column of the responses. The name of the class if none is given."""
    capabilities: frozenset[str] = frozenset()
    """Of ``audio`` (can be given audio), ``likelihood``, ``generate``, ``think-likelihood``, ``sampling`` (a reply is
    drawn as the request's ``draw`` says), ``thinking`` (a thought is held to the request's ``think_tokens``). If none
    are given: ``audio``, and the methods that the class has."""
    max_seconds: float | None = None
    """Longer clips are cut before the model gets them, and it is said so; None: no limit."""
    concurrency: int = 1
    """Requests that it answers at the same time: smaller batches would leave it idle."""
    max_new_tokens: int = 128
    """Tokens that a reply may have where nobody says how many."""
    thinks: bool = False
    """Whether it thinks aloud before it answers, unasked."""
    refusals: Mapping[str, str] = MappingProxyType({})
    """What it was tried for and cannot do -> why not, in words."""
    file_sha256: str | None = None
    """Hash of the file that it was loaded from by :func:`audiocontrib.load_model`, as in ``my.py:Class``."""

    _source: tuple[str | None, ...] = ()
    """Hashes of the source of the class and of the classes of the user's own that it is made of."""
    _arguments: Mapping[str, Any] | None = None
    """What the constructor was given; None if it cannot be written down."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._source = source_hashes(cls, below=Model)  # now: the file may be edited before it is asked for

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        """Fill in the name, the capabilities and what tells one from another."""
        made = super().__new__(cls)
        given: dict[str, Any] = {"name": cls.name or cls.__name__, "_arguments": simple_arguments(args, keywords)}
        if not cls.capabilities:
            given["capabilities"] = frozenset({"audio", *own_methods(cls)})
        for name, value in given.items():
            object.__setattr__(made, name, value)  # it may be a frozen dataclass
        return made

    def likelihood(self, requests: Sequence[Request]) -> Sequence[Scored | Exception]:
        """Score every option of every request, in order. An exception in the list is that request's failure alone."""
        raise UsageError(f"{self.name} gives no likelihood")

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Sequence[Generated | Exception]:
        """Replies, in order: greedy, whatever the checkpoint's defaults are, or as a request's ``draw`` says."""
        raise UsageError(f"{self.name} gives no replies")

    def think_likelihood(
        self, requests: Sequence[Request], max_new_tokens: int = 128
    ) -> Sequence[Scored | Generated | Exception]:
        """Let every request be thought about, and score its options after that, in order.

        A thought is closed at the request's ``think_tokens``; where it has none, and the thought does not end within
        ``max_new_tokens``, the answer is the thought as a :class:`Generated` without text, cut off by ``length``.
        """
        raise UsageError(f"{self.name} gives no likelihood after a thought")

    def fingerprint(self) -> dict[str, Any]:
        """JSON values that fix the answers: a hash of the weights, dtype, template, … Kept in run.json.

        Without one of its own, a class is known by its file's source and by what its constructor was given.

        Raises:
            UsageError: that cannot be had; the class must say itself what fixes its answers.
        """
        cls = type(self)
        if None in self._source:
            raise UsageError(f"{self.name}: the source of {cls.__name__} cannot be read; {_WRITE_IT}")
        if self._arguments is None:
            raise UsageError(
                f"{self.name}: what {cls.__name__}(…) was given is more than text and numbers; {_WRITE_IT}"
            )
        sources = [sha256 for sha256 in self._source if sha256 != self.file_sha256]
        told = {"class": cls.__qualname__, "source_sha256": sources, "arguments": dict(self._arguments)}
        return {name: value for name, value in told.items() if value}

    def identity(self) -> dict[str, Any]:
        """What a run knows the model by: its fingerprint and, where it came from a file, that file. Not overridden."""
        return {**self.fingerprint(), **({"file_sha256": self.file_sha256} if self.file_sha256 else {})}

    @property
    def is_own(self) -> bool:
        """Whether code of the user's own answers, and no class of this package alone."""
        return bool(self._source)

    def prepare(self, requests: Sequence[Request]) -> Sequence[Request]:
        """The requests, in order, with ``ready`` filled by what can be made beforehand.

        Called in another thread while the model is at work.
        """
        return requests

    def count_tokens(self, requests: Sequence[Request]) -> tuple[int, int] | None:
        """Tokens that prepared requests are if nothing is shared among them, and if all is; None: it cannot tell."""
        return None

    def keep_evidence(self, folder: Path) -> None:
        """A folder of the run in which it may keep what it finds out about sounds. Called before it is asked."""

    def summary(self) -> str:
        """How the work went, in a few words; empty if there is nothing to say."""
        return ""

    def close(self) -> None:
        """Give back what it holds (connections, processes). Called when it was loaded for a run that is over."""


_WRITE_IT = "write its method fingerprint, which says in JSON values what fixes its answers"


def own_methods(cls: type[Model]) -> frozenset[str]:
    """Of METHODS, those that the class has itself."""
    written = {
        "likelihood": cls.likelihood is not Model.likelihood,
        "generate": cls.generate is not Model.generate,
        "think-likelihood": cls.think_likelihood is not Model.think_likelihood,
    }
    return frozenset(name for name, there in written.items() if there)
