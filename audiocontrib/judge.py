"""A judge: a model that is shown the replies which the reader leaves unparsed, and says which option each gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation.judged import NONE, judge_folder, judgements
from audiocontrib.items import MAX_CHOICES, Item, Items, make_item
from audiocontrib.models import Model, load_model
from audiocontrib.prompts import PromptTemplate, rotate
from audiocontrib.scoring import score
from audiocontrib.scoring.arguments import check_model_options
from audiocontrib.store import Run
from audiocontrib.store.runs import as_run

PROMPT = PromptTemplate(
    name="judge",
    system="You read what was replied to a multiple-choice question, and say which answer the reply gives.",
    user=(
        "{question}\n\nWhich of these answers does the reply give? {options}\n"
        "Output the answer's text in <answer> </answer>."
    ),
)
LONGEST = 4_000
"""Characters of a reply that a judge is shown: the first half and the last half of these."""
_UNPARSED = """
select r.request_key, r."order", r.reply, i.question, i.choices
from responses r join items i using (item_id)
where r.outcome = 'unparsed' and split_part(r.condition, ':', 1) <> 'foreign' and trim(coalesce(r.reply, '')) <> ''
order by r.request_key
"""


def judge(
    run: Run,
    /,
    *,
    model: Model | str,
    progress: bool = True,
    model_options: dict[str, Any] | None = None,
) -> pa.Table:
    """Let a model read the replies of a run that stay unparsed. Its answers are kept in ``judges/NAME``, a run.

    The judge is shown the question, the options as they were listed, and the reply, and picks an option or "none".
    It counts as read only what the judge picks in every order of the options (likelihood), or says (generate). The
    run's own outcomes stay as they are: see :func:`audiocontrib.evaluation.judged.judged_accuracy`.

    Args:
        model: the judge, as :func:`audiocontrib.score` takes it; it needs text only.
        model_options: of :func:`audiocontrib.load_model`.

    Returns:
        What was read: a row per unparsed reply and judge (JUDGEMENT_SCHEMA).

    Raises:
        UsageError: no such model.
        AudiocontribError: no reply is unparsed.

    Example:
        >>> ac.judge(run, model="Qwen/Qwen2.5-7B-Instruct").to_pandas()
    """
    as_run(run)
    check_model_options(model_options)
    asked = load_model(model, **(model_options or {})) if isinstance(model, str) else model
    if not isinstance(asked, Model):
        raise UsageError(f"the judge is {model!r:.60}, but must be a model or the name of one")
    items = Items(list(_items(run)), (), {"name": "judge", "of": str(run.path)})
    if not len(items):
        raise AudiocontribError(f"{run.path} holds no reply that is unparsed: there is nothing to judge")
    likely = "likelihood" in asked.capabilities
    score(
        items,
        asked,
        "text",
        method="likelihood" if likely else "generate",
        orders="cyclic" if likely else "given",
        prompt=PROMPT,
        run=judge_folder(run, asked.name),
        progress=progress,
    )
    return judgements(run)


def _items(run: Run) -> Iterator[Item]:
    """A question about each unparsed reply; its id is the request's key."""
    for row in run.table(_UNPARSED).to_pylist():
        shown = rotate(row["choices"], row["order"])
        if len(shown) < MAX_CHOICES:
            told = f"Question: {row['question']}\nAnswers: {shown}\nReply: {_shortened(row['reply'])}"
            yield make_item(
                dataset="judge", own_id=row["request_key"], question=told, choices=[*shown, NONE], answer=None,
                has_key=False, audio=None,
            )  # fmt: skip


def _shortened(reply: str) -> str:
    half = LONGEST // 2
    return reply if len(reply) <= LONGEST else f"{reply[:half]} … {reply[-half:]}"
