"""Accuracies as the hub reads them: a file of `.eval_results/`, and the older model-index."""

from __future__ import annotations

from datetime import UTC, datetime

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, eval_result_entries_to_yaml
from huggingface_hub.repocard_data import eval_results_to_model_index

from audiocontrib.errors import AudiocontribError
from audiocontrib.publish.base import RESULTS, Chosen, ResultForm


def _accuracy(told: Chosen) -> tuple[float, str]:
    """Share of the items with a key that were answered right, and how it came about."""
    keyed = [item for item in told.items if item.answer is not None]
    if not keyed:
        raise AudiocontribError("the items have no key: there is no accuracy to tell")
    right = sum(told.choices[item.id] == item.answer for item in keyed)
    method = str(told.run.manifest.get("identity", {}).get("method"))
    return right / len(
        keyed
    ), f"{right:,} of {len(keyed):,} right, condition {told.condition}, by {method}, audiocontrib"


def _eval_results(told: Chosen) -> str:
    value, notes = _accuracy(told)
    hub = told.origin.get("hub")
    if not hub:
        raise AudiocontribError(
            "the hub tells results by the data set's id there, and this one was not read from the hub"
        )
    entry = EvalResultEntry(
        dataset_id=str(hub),
        task_id=str(told.origin.get("split") or "default"),
        value=round(100 * value, 2),
        dataset_revision=told.origin.get("revision"),
        date=datetime.now(UTC).date().isoformat(),
        notes=notes,
    )
    return str(yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True))


def _model_index(told: Chosen) -> str:
    value, notes = _accuracy(told)
    name = str(told.origin.get("name") or told.items[0].dataset)
    result = EvalResult(
        task_type="audio-text-to-text",
        dataset_type=str(told.origin.get("hub") or name),
        dataset_name=name,
        dataset_split=told.origin.get("split"),
        dataset_revision=told.origin.get("revision"),
        metric_type="accuracy",
        metric_name=f"accuracy ({notes})",
        metric_value=round(value, 4),
    )
    index = eval_results_to_model_index(told.model.rpartition("/")[2], [result])
    return str(yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True))


RESULTS.register("eval-results")(ResultForm("YAML for .eval_results/ of a model on the hub", _eval_results))
RESULTS.register("model-index")(ResultForm("YAML for the head of a model's README", _model_index))
