"""What is planted in a mock is found again in its answers."""

from __future__ import annotations

import json
import math
import random
import time
from dataclasses import replace

import numpy as np
import pytest
from helpers.planted import answer, questions, requests

from audiocontrib import answers
from audiocontrib.conditions import CONDITIONS, condition
from audiocontrib.errors import UsageError
from audiocontrib.items import Items
from audiocontrib.models.base import Model
from audiocontrib.models.mock import GIBBERISH, REFUSAL, MockModel, Planted, mock_model
from audiocontrib.responses import Outcome

N = 600
ITEMS = questions(N)
K = 4
WITHOUT = ("silence", "silence:matched", "noise", "text", "swap")


def within(count: int, n: int, share: float) -> bool:
    """Whether a count is within four standard errors of a share."""
    return abs(count / n - share) <= 4 * math.sqrt(share * (1 - share) / n)


def choices(model: MockModel, spec: str, items: Items = ITEMS, order: int = 0) -> np.ndarray:
    return np.array([answer(model, r, "likelihood").choice for r in requests(items, spec, order)])


def right(model: MockModel, spec: str, items: Items = ITEMS) -> int:
    return int((choices(model, spec, items) == np.array([item.answer for item in items])).sum())


def test_it_is_a_model() -> None:
    assert isinstance(MockModel(), Model)
    assert MockModel().max_seconds is None


@pytest.mark.slow
@pytest.mark.parametrize("skill", [0.0, 0.3, 0.9, 1.0])
def test_skill_is_the_chance_corrected_accuracy_with_audio(skill: float) -> None:
    model = MockModel(Planted(skill=skill))
    assert within(right(model, "audio"), N, skill + (1 - skill) / K)
    assert within(right(model, "silence"), N, 1 / K)


@pytest.mark.parametrize("spec", WITHOUT)
def test_leak_is_the_chance_corrected_accuracy_without_audio(spec: str) -> None:
    assert within(right(MockModel(Planted(skill=0, leak=0.4)), spec), N, 0.4 + 0.6 / K)


def test_skill_and_leak_are_independent() -> None:
    knows = 1 - (1 - 0.5) * (1 - 0.4)
    assert within(right(MockModel(Planted(skill=0.5, leak=0.4)), "audio"), N, knows + (1 - knows) / K)


def test_leaks_by_item() -> None:
    by_id = {item.id: place % 2 == 0 for place, item in enumerate(ITEMS)}
    marked = Items(replace(item, extra={"needs_audio": not by_id[item.id]}) for item in ITEMS)
    even = Items(item for item in marked if by_id[item.id])
    odd = Items(item for item in marked if not by_id[item.id])
    for planted in (Planted(leak=by_id), Planted(leak_from="needs_audio")):
        assert right(MockModel(planted), "text", even) == len(even)
        assert within(right(MockModel(planted), "text", odd), len(odd), 1 / K)
    with pytest.raises(UsageError, match=r"leak_from=needs_audio: None of planted/00000 is not true or false"):
        right(MockModel(Planted(leak_from="needs_audio")), "text")


def test_a_hidden_question_betrays_nothing() -> None:
    model = MockModel(Planted(skill=0, leak=1))
    assert right(model, "text") == N
    assert within(right(model, "options"), N, 1 / K)


@pytest.mark.parametrize(("spec", "kept"), [("silence", 0.3), ("noise", 0.3), ("swap", 0.3), ("text", 1.0)])
def test_silence_effect(spec: str, kept: float) -> None:
    share = kept + (1 - kept) / K
    assert within(right(MockModel(Planted(leak=1, silence_effect=0.7)), spec), N, share)


def test_silence_effect_spares_the_item_s_own_clip() -> None:
    assert right(MockModel(Planted(skill=0, leak=1, silence_effect=1)), "audio") == N


def test_what_counts_as_hearing() -> None:
    dosed = {name: f"{name}:10" for name in ("mask", "snr", "swap-mask", "swap-snr")}
    specs = {name: name for name in CONDITIONS} | {"clip": "clip:0-1"} | dosed
    heard = {name for name, spec in specs.items() if condition(spec).hears_own_clip}
    assert heard == {"audio", "noquestion", "reverse", "clip", "mask", "snr"}


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_position_bias_alone_is_chance_over_cyclic_orders(k: int) -> None:
    items = questions(50, k=k)
    model = MockModel(Planted(skill=0, noise=0, position_bias=2))
    for item in items:
        asked = [answer(model, requests([item], "text", order)[0], "likelihood") for order in range(k)]
        assert [(r.choice - r.order) % k for r in asked] == [0] * k
        assert np.mean([r.posterior[item.answer] for r in asked]) == pytest.approx(1 / k, abs=1e-12)
        assert sum(r.correct for r in asked) == 1


def test_position_bias_overrides_a_weaker_confidence() -> None:
    model = MockModel(Planted(skill=1, noise=0, position_bias=5, confidence=4))
    assert (choices(model, "audio") == 0).all()


@pytest.mark.slow
def test_content_preference_is_stable_and_blind_to_the_gold() -> None:
    model = MockModel(Planted(skill=0, noise=0, content_preference=1))
    first = choices(model, "text")
    for spec, order in [("text", 1), ("silence", 3), ("audio", 2)]:
        assert (choices(model, spec, order=order) == first).all()
    assert within(right(model, "text"), N, 1 / K)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
def test_shared_preference_is_agreement_on_wrong_options(shared: float) -> None:
    planted = Planted(skill=0, noise=0, content_preference=1, shared_preference=shared)
    a, b = (choices(MockModel(replace(planted, seed=seed)), "text") for seed in (1, 2))
    gold = np.array([item.answer for item in ITEMS])
    wrong = (a != gold) & (b != gold)
    both_wrong = (K - 1) / K * (shared + (1 - shared) * (K - 1) / K)
    alike = (K - 1) / K * (shared + (1 - shared) / K)
    assert within(int((wrong & (a == b)).sum()), N, alike)
    assert within(int(wrong.sum()), N, both_wrong)
    stranger = choices(MockModel(replace(planted, seed=2, family_seed=9)), "text")
    assert within(int((a == stranger).sum()), N, 1 / K)


@pytest.mark.slow
def test_luck_is_fresh_in_every_order_and_condition() -> None:
    model = MockModel(Planted(skill=0))
    first = choices(model, "text")
    for spec, order in [("text", 1), ("silence", 0), ("options", 0)]:
        assert within(int((choices(model, spec, order=order) == first).sum()), N, 1 / K)
    assert (choices(model, "text") == first).all()
    assert within(int((choices(MockModel(Planted(skill=0, seed=1)), "text") == first).sum()), N, 1 / K)


def test_luck_samples_at_a_temperature() -> None:
    warm = MockModel(Planted(skill=0, content_preference=2, noise=1))
    cold = MockModel(Planted(skill=0, content_preference=2, noise=0))
    favourite = math.exp(2) / (math.exp(2) + K - 1)
    assert within(int((choices(warm, "text") == choices(cold, "text")).sum()), N, favourite)


def test_confidence_is_the_posterior_of_a_known_gold() -> None:
    model = MockModel(Planted(skill=1, confidence=2))
    for request in requests(ITEMS[:20], "audio", order=1):
        known = answer(model, request, "likelihood").posterior[request.item.answer]
        assert known == pytest.approx(1 / (1 + (K - 1) * math.exp(-2)))


def test_likelihoods_stand_in_the_order_shown() -> None:
    model = MockModel(Planted(skill=1))
    for order in range(K):
        request = requests(ITEMS[:1], "audio", order)[0]
        [scored] = model.likelihood([request])
        assert request.prompt.options[int(np.argmax(scored.logprobs))] == "sound 0-0"
        assert len(scored.logprobs) == len(scored.tokens) == K
        assert sum(map(math.exp, scored.logprobs)) == pytest.approx(1)


def test_replies_say_what_the_likelihoods_say() -> None:
    model = MockModel(Planted(skill=0.5, position_bias=0.5, content_preference=0.5))
    for order in (0, 3):
        for request in requests(ITEMS[:200], "audio", order):
            by_method = [answer(model, request, method).choice for method in ("generate", "likelihood")]
            assert by_method[0] == by_method[1]


@pytest.mark.slow
@pytest.mark.parametrize(("field", "refusing"), [("refuse_with_audio", True), ("refuse_without_audio", False)])
def test_refusals_only_where_planted(field: str, refusing: bool) -> None:
    model = MockModel(Planted(**{field: 0.3}))
    for spec in ("audio", *WITHOUT):
        refused = sum(reply.text == REFUSAL for reply in model.generate(requests(ITEMS, spec)))
        assert within(refused, N, 0.3) if (spec == "audio") == refusing else refused == 0


def test_unparseable_share_of_the_remaining_replies() -> None:
    model = MockModel(Planted(refuse_without_audio=0.5, unparseable=0.4))
    replies = [reply.text for reply in model.generate(requests(ITEMS, "text"))]
    assert within(replies.count(REFUSAL), N, 0.5)
    assert within(replies.count(GIBBERISH), N, 0.5 * 0.4)
    assert not any(character.isalnum() for character in GIBBERISH)


def test_replies_are_read_as_what_they_are() -> None:
    choices = ("Nothing", "A question", "A dog, sorry")
    assert answers.parse(REFUSAL, choices).outcome == Outcome.REFUSED
    assert answers.parse(GIBBERISH, choices).outcome == Outcome.UNPARSED
    request = requests(ITEMS[5:6], "audio", order=3)[0]
    [reply] = MockModel(Planted(skill=1)).generate([request])
    assert answers.parse(reply.text, request.item.choices).choice == request.item.answer


def test_without_a_key_it_answers_by_preference_only() -> None:
    items = questions(300, keyed=False)
    model = MockModel(Planted(skill=1, leak=1, noise=0, content_preference=1))
    first = choices(model, "audio", items)
    assert (choices(model, "text", items, order=2) == first).all()
    assert set(first) == set(range(K))


def test_answers_do_not_depend_on_the_batch_or_its_order() -> None:
    planted = Planted(skill=0.5, leak=0.2, refuse_without_audio=0.2, unparseable=0.1, content_preference=1)
    asked = requests(ITEMS[:100], "silence") + requests(ITEMS[:100], "audio", order=2)
    whole_scores, whole_replies = MockModel(planted).likelihood(asked), MockModel(planted).generate(asked)
    shuffled = list(range(len(asked)))
    random.Random(0).shuffle(shuffled)
    other = MockModel(planted)
    for place in shuffled:
        assert other.generate([asked[place]]) == [whole_replies[place]]
        assert other.likelihood([asked[place]]) == [whole_scores[place]]


def test_planted_failures() -> None:
    asked = requests(ITEMS[:400], "silence")

    def failing(model: MockModel) -> set[str]:
        failed = set()
        for request in asked:
            try:
                model.generate([request])
            except RuntimeError:
                failed.add(request.item.id)
        return failed

    fresh, same = MockModel(Planted(fail=0.5)), MockModel(Planted(fail=0.5, fail_always=True))
    assert failing(fresh) != failing(fresh)
    assert failing(same) == failing(same)
    assert within(len(failing(same)), 400, 0.5)
    with pytest.raises(RuntimeError, match=r"planted failure of mock: planted/\d+, silence, order 0"):
        same.likelihood(asked)


def test_it_takes_its_time() -> None:
    started = time.monotonic()
    MockModel(Planted(seconds=0.02)).generate(requests(ITEMS[:5], "text"))
    assert time.monotonic() - started >= 0.1


def test_fingerprint_is_what_fixes_the_answers() -> None:
    quick, slow = mock_model("skill=0.5"), mock_model("skill=0.5,seconds=1,fail=0.5,name=other")
    assert quick.fingerprint() == slow.fingerprint()
    assert quick.fingerprint() != mock_model("skill=0.6").fingerprint()
    assert json.loads(json.dumps(MockModel(Planted(leak={"a": True})).fingerprint()))["leak"] == {"a": True}


def test_spec() -> None:
    model = mock_model("name=deaf, skill=0, leak=0.3, seed=7, fail_always=true, leak_from=needs_audio")
    assert model.name == "deaf"
    assert model.planted == Planted(skill=0, leak=0.3, seed=7, fail_always=True, leak_from="needs_audio")
    assert mock_model("").planted == Planted()
    assert mock_model("").name == "mock"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("skil=1", "mock: there is no field 'skil'; did you mean 'skill'?"),
        ("skill", "'skill' has no value; write it as field=value"),
        ("skill=high", "skill is 'high', but must be a number between 0 and 1"),
        ("seed=1.5", "seed is 1.5, but must be a whole number"),
        ("fail_always=maybe", "fail_always is 'maybe', but must be true or false"),
        ("skill=1.2", "skill is 1.2, but must be a number between 0 and 1"),
        ("leak=nan", "leak is nan, but must be a number between 0 and 1"),
        ("confidence=inf", "confidence is inf, but must be a number"),
        ("skill=1,skill=0", "the field 'skill' stands there twice"),
        ("name= ", "name is '', but must be a text that is not blank"),
        ("noise=-1", "noise is -1, but must be a number of at least 0"),
    ],
)
def test_bad_specs_are_one_line(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        mock_model(spec)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
