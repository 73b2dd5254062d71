"""Cascade: a model that hears by its parts and answers by a language model that reads what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
import transformers
from safetensors import SafetensorError

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.models.cascade.evidence_cache import Keep
from audiocontrib.models.cascade.listen import Listener
from audiocontrib.models.cascade.read import Reader, chat, plain_prompt
from audiocontrib.models.cascade.recipe import CascadeRecipe, read_cascade_recipe
from audiocontrib.models.cascade.recognise import WhisperRecogniser
from audiocontrib.models.cascade.tag import load_tagger
from audiocontrib.models.load import load_checkpoint
from audiocontrib.prompts import Prompt

A = TypeVar("A", Scored, Generated)


@dataclass(frozen=True, slots=True)
class ListeningResult:
    """What came of listening for one request."""

    evidence: str | None = None
    """None without an audio part, or where listening failed."""
    error: Exception | None = None


class Cascade(Model):
    """See :class:`audiocontrib.models.base.Model`. Each sound is listened to once, whatever is asked about it.

    Args:
        reader: the language model that answers.
    """

    capabilities = frozenset({"audio", "likelihood", "generate", "sampling"})

    def __init__(self, recipe: CascadeRecipe, listener: Listener, reader: Reader) -> None:
        self.name = recipe.name
        self.max_seconds = recipe.max_seconds
        self._recipe, self._listener, self._reader = recipe, listener, reader
        self._keep = Keep(listener.key)

    def fingerprint(self) -> dict[str, Any]:
        """See :class:`audiocontrib.models.base.Model`."""
        how = self._recipe.reader
        return {
            "model_type": "cascade",
            "listener": self._listener.fingerprint(),
            "reader": self._reader.fingerprint(),
            "phrasing": how.phrasing,
            "examples": [asdict(example) for example in how.examples],
            "score": {"sum": "sum of log-probabilities", "token": "mean log-probability of a token"}[how.score],
        }

    def keep_evidence(self, folder: Path) -> None:
        """Read findings that lie in ``folder``, and add new ones to it."""
        self._keep.open(folder)

    def evidence(self, sound: Sound) -> str:
        """What the parts find in a sound, in words.

        Raises:
            AudiocontribError: a part failed on it.
        """
        found = self._keep.get(sound.sha256)
        if found is None:
            try:
                found = self._listener.listen(sound)
            except Exception as error:  # whatever a part raises concerns this sound alone
                raise AudiocontribError(
                    f"{self.name}: a listening part failed on the sound {sound.sha256[:12]}… "
                    f"({sound.seconds:.1f} s): {one_line(error)}"
                ) from error
            self._keep.put(sound.sha256, found)
        return found.text

    def prepare(self, requests: Sequence[Request]) -> list[Request]:
        """The requests with their sounds listened to; another thread can do it while the reader is at work."""
        return [replace(request, ready=self._heard(request.sound)) for request in requests]

    def likelihood(self, requests: Sequence[Request]) -> list[Scored | Exception]:
        """See :class:`audiocontrib.models.base.Model`. With ``score: token`` an option has its tokens' mean."""
        how = self._recipe.reader

        def phrase(prompt: Prompt, evidence: str | None) -> Prompt:
            return plain_prompt(prompt, evidence, how.examples) if how.phrasing == "plain" else chat(prompt, evidence)

        answers = self._read(requests, phrase, self._reader.likelihood)
        return [_mean(a) if how.score == "token" and isinstance(a, Scored) else a for a in answers]

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated | Exception]:
        """See :class:`audiocontrib.models.base.Model`. Always by the run's own prompt, which lists the options."""
        return self._read(requests, chat, lambda asked: self._reader.generate(asked, max_new_tokens))

    def _heard(self, sound: Sound | None) -> ListeningResult:
        try:
            return ListeningResult(self.evidence(sound)) if sound else ListeningResult()
        except AudiocontribError as error:
            return ListeningResult(error=error)

    def _read(
        self,
        requests: Sequence[Request],
        phrase: Callable[[Prompt, str | None], Prompt],
        answer: Callable[[list[Request]], Sequence[A]],
    ) -> list[A | Exception]:
        """The reader's answers; where listening failed, the reason."""
        heard: list[ListeningResult] = [(r if r.ready else self.prepare([r])[0]).ready for r in requests]
        asked = [
            replace(request, prompt=phrase(request.prompt, one.evidence), sound=None, ready=None)
            for request, one in zip(requests, heard, strict=True)
            if one.error is None
        ]
        answers = iter(answer(asked))
        return [one.error or replace(next(answers), evidence=one.evidence) for one in heard]


def _mean(scored: Scored) -> Scored:
    """The same per token: each option then counts as one token."""
    return replace(
        scored,
        logprobs=tuple(total / n for total, n in zip(scored.logprobs, scored.tokens, strict=True)),
        tokens=(1,) * len(scored.tokens),
    )


def load_cascade(path: Path, *, name: str | None = None, device: str | None = None, **options: Any) -> Cascade:
    """The cascade of a recipe, with all its parts loaded.

    Args:
        device: for all parts on torch; a GPU is used if there is one.
        options: those of :func:`audiocontrib.models.load.load_checkpoint`, for the reader.

    Raises:
        UsageError: the recipe cannot be read.
        AudiocontribError: a part is missing, is not the one that the recipe names, or cannot be loaded.
    """
    transformers.utils.logging.disable_progress_bar()
    recipe = read_cascade_recipe(path)
    recipe = replace(recipe, name=name or recipe.name)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    where = {
        kind: part.find(path.parent)
        for kind in ("recogniser", "tagger", "reader")
        if (part := getattr(recipe, kind)) is not None
    }
    try:
        listener = Listener(
            load_tagger(where["tagger"], recipe.tagger, device) if recipe.tagger else None,
            recipe.tagger,
            WhisperRecogniser(where["recogniser"], device) if recipe.recogniser else None,
            recipe.gate,
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise AudiocontribError(f"{recipe.name}: a listening part cannot be loaded: {one_line(error)}") from error
    lm = load_checkpoint(where["reader"], name=recipe.name, device=device, **options)
    return Cascade(recipe, listener, Reader(recipe.name, lm.net, lm.tokenizer, lm.fingerprint()))
