"""Partial-input classifiers: how far does a small model get that sees only the texts?

A linear classifier is fitted on options (is this one the gold?) and chooses within each item the option
that it finds likeliest, always on items whose clips it was not fitted on. Above chance means that the texts
betray the gold to anything that is trained on such a set, whether or not an untrained language model sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import Values
from audiocontrib.audit.base import CHECKS, FEATURE_SCHEMA, CheckResult, Finding, Settings
from audiocontrib.audit.options import WORD, OptionTable, surface
from audiocontrib.statistics import chance_corrected, guessing, mean_by_clip

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Rows = NDArray[np.int64]
"""Places in an OptionTable's rows."""
FOLDS = 10
LEAST_ITEMS, LEAST_CLIPS = 50, 10
"""Below these a classifier says nothing, and the finding says so."""
MATTERS = 0.03
"""Accuracy above chance that is worth an alarm."""
TOP = 10
"""Features of each sign that are listed."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a classifier sees of each option."""

    matrix: csr_matrix
    """Shape (R, F)."""
    names: list[str]


@CHECKS.register("probes")
def probes(items: pa.Table, settings: Settings) -> CheckResult:
    """Options only, question only, question and options: out-of-fold accuracy against chance."""
    options = sample(OptionTable.of(items).with_key(), settings)
    clips = len(np.unique(options.clips))
    if len(options) < LEAST_ITEMS or clips < LEAST_CLIPS:
        why = f"{len(options)} items with a key on {clips} clips; classifiers need {LEAST_ITEMS} on {LEAST_CLIPS}"
        return CheckResult([Finding("text-only classifiers", len(options), None, why, severity="note")])
    found, features = [], []
    scores: dict[str, Values] = {"item_id": pa.array(options.ids)}
    for name, inputs in see(options).items():
        posterior = out_of_fold(options, inputs.matrix, settings.seed)
        right = chosen(options, posterior) == options.gold
        found.append(_finding(name, options, right))
        scores[f"text_{name.replace(' ', '_')}"] = pa.array(posterior[options.is_gold])
        features.append(_top_features(name, options, inputs, settings.seed))
    return CheckResult(found, pa.table(scores), features=pa.concat_tables(features))


def see(options: OptionTable) -> dict[str, Inputs]:
    """The inputs of the three classifiers: ``options``, ``question`` (with places, not texts) and ``both``."""
    from scipy.sparse import csr_matrix, hstack

    words, vocabulary = _tfidf(options.texts)
    marks = {name: _within(options, values) for name, values in surface(options).items()}
    asked = marks.pop("overlap with the question")
    shown = csr_matrix(np.column_stack(list(marks.values())))
    alone = Inputs(hstack([words, shown]).tocsr(), [*vocabulary, *(f"[{name}]" for name in marks)])
    places = Inputs(*_question_by_place(options))
    joint, pairs = _question_by_word(options)
    both = hstack([alone.matrix, csr_matrix(asked[:, None]), joint]).tocsr()
    return {
        "options": alone,
        "question": places,
        "both": Inputs(both, [*alone.names, "[overlap with the question]", *pairs]),
    }


def out_of_fold(options: OptionTable, matrix: csr_matrix, seed: int) -> NDArray[np.float64]:
    """Shape (R,): the classifier's posterior of each option within its item, fitted on other clips."""
    from sklearn.model_selection import GroupKFold

    clips = options.clips
    folds = min(FOLDS, len(np.unique(clips)))
    score = np.zeros(len(options.item))
    split = GroupKFold(folds, shuffle=True, random_state=seed)
    for test, scores in held_out(options, matrix, split.split(options.item, groups=clips[options.item]), seed):
        score[test] = scores
    return posterior_of(options, score)


def held_out(
    options: OptionTable, matrix: csr_matrix, parts: Iterable[tuple[Rows, Rows]], seed: int
) -> Iterator[tuple[Rows, NDArray[np.float64]]]:
    """For each pair of rows to fit on and rows to hold out: the latter, and their scores. Fitted in threads."""
    from sklearn.utils.parallel import Parallel, delayed

    is_gold = options.is_gold

    def scored(train: Rows, test: Rows) -> tuple[Rows, NDArray[np.float64]]:
        return test, fitted(matrix[train], is_gold[train], seed).decision_function(matrix[test])

    # liblinear's solver of this loss draws nothing, and holds no lock
    return Parallel(n_jobs=-1, prefer="threads", return_as="generator")(delayed(scored)(*part) for part in parts)


def posterior_of(options: OptionTable, score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (R,): the softmax of the scores within each item."""
    weight = np.exp(score - np.maximum.reduceat(score, options.starts)[options.item])
    return weight / np.add.reduceat(weight, options.starts)[options.item]


def chosen(options: OptionTable, posterior: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shape (n,): place of the likeliest option; among equals one by lot, so that no place gains."""
    lot = posterior + 1e-9 * np.random.default_rng(0).random(len(posterior))
    best = lot == np.maximum.reduceat(lot, options.starts)[options.item]
    return options.place[best]


def fitted(matrix: csr_matrix, is_gold: NDArray[np.bool_], seed: int) -> Any:
    """A logistic regression on the options."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, solver="liblinear", random_state=seed).fit(matrix, is_gold)


def _finding(name: str, options: OptionTable, right: NDArray[np.bool_]) -> Finding:
    n, hits, chance = len(options), int(right.sum()), float((1 / options.k).mean())
    seen = mean_by_clip(right, options.clips).in_columns()
    over = chance_corrected(hits / n, chance)
    sees = {"options": "the options alone", "question": "the question alone", "both": "question and options"}[name]
    return Finding(
        f"classifier that sees {sees}", n, hits / n,
        f"out-of-fold accuracy over clips; chance-corrected {over:.3f}",
        expected=chance, p=guessing(hits, 1 / options.k).two_sided, **seen,
        matters=hits / n - chance > MATTERS,
    )  # fmt: skip


def sample(options: OptionTable, settings: Settings) -> OptionTable:
    """The options of whole clips, drawn by lot until there are enough items."""
    if len(options) <= settings.max_items:
        return options
    clips = options.clips
    drawn = np.random.default_rng(settings.seed).permutation(clips.max() + 1)
    taken = drawn[np.cumsum(np.bincount(clips)[drawn]) <= settings.max_items]
    return options.only(np.isin(clips, taken))


def _tfidf(texts: list[str]) -> tuple[csr_matrix, list[str]]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    # one letter and one digit are words too: chords, keys and counts are such options
    vectors = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True)
    try:
        matrix = vectors.fit_transform(texts)
    except ValueError:  # no word at all in any option
        from scipy.sparse import csr_matrix

        return csr_matrix((len(texts), 0)), []
    return matrix, list(vectors.get_feature_names_out())


def _within(options: OptionTable, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A surface value against the mean of its item, in standard deviations over all options."""
    centred = values - (np.add.reduceat(values, options.starts) / options.k)[options.item]
    spread = centred.std()
    return centred / spread if spread > 0 else centred


def _question_by_place(options: OptionTable) -> tuple[csr_matrix, list[str]]:
    """The question's words, in a block of columns for each place: which place does such a question put the gold in?"""
    from scipy.sparse import csr_matrix, diags, hstack

    words, vocabulary = _tfidf(options.questions)
    rows = hstack([words, csr_matrix(np.ones((len(options), 1)))]).tocsr()[options.item]
    blocks = [(diags((options.place == p).astype(float)) @ rows).tocsr() for p in range(int(options.k.max()))]
    for block in blocks:
        block.eliminate_zeros()
    names = [f"{word} → {chr(65 + p)}" for p in range(len(blocks)) for word in [*vocabulary, "(any)"]]
    return hstack(blocks).tocsr(), names


def _question_by_word(options: OptionTable) -> tuple[csr_matrix, list[str]]:
    """Pairs of a question's word and an option's word: which answers does such a question have?

    Only pairs that stand in two options or more. A pair is a number: as texts, those of 20,000 items take a gigabyte.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    known: dict[str, int] = {}
    asked, held = _codes(options.questions, known), _codes(options.texts, known)
    pairs = [
        np.add.outer(asked[i] * len(known), said).ravel() for i, said in zip(options.item.tolist(), held, strict=True)
    ]
    each = np.repeat(np.arange(len(pairs)), [len(one) for one in pairs])
    codes, column, count = np.unique(np.concatenate(pairs), return_inverse=True, return_counts=True)
    often = count > 1
    words = list(known)
    names = [f"{words[code // len(words)]} + {words[code % len(words)]}" for code in codes[often].tolist()]
    if not names:
        return csr_matrix((len(pairs), 0)), []
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    place = np.full(len(codes), -1)
    place[np.flatnonzero(often)[order]] = np.arange(len(order))
    seen = place[column] >= 0
    shape = (len(pairs), len(names))
    counted = csr_matrix((np.ones(seen.sum()), (each[seen], place[column][seen])), shape)
    return TfidfTransformer().fit_transform(counted), [names[i] for i in order]


def _codes(lines: list[str], known: dict[str, int]) -> list[NDArray[np.int64]]:
    """The different words of each text as numbers; a new word gets the next one."""
    found = [sorted(set(WORD.findall(line.lower()))) for line in lines]
    return [np.array([known.setdefault(word, len(known)) for word in one], np.int64) for one in found]


def _top_features(name: str, options: OptionTable, inputs: Inputs, seed: int) -> pa.Table:
    """What the classifier goes by, from a fit on all items."""
    is_gold, ids = options.is_gold, options.ids
    weights = fitted(inputs.matrix, is_gold, seed).coef_[0]
    order = np.argsort(weights)
    columns = inputs.matrix.tocsc()
    rows = []
    for feature in [*order[-TOP:][::-1], *order[:TOP]]:
        carriers = columns.indices[columns.indptr[feature] : columns.indptr[feature + 1]]
        if not len(carriers):
            continue
        typical = carriers[np.argmax(np.abs(columns.data[columns.indptr[feature] : columns.indptr[feature + 1]]))]
        rows.append(
            {
                "probe": name,
                "feature": inputs.names[feature],
                "weight": float(weights[feature]),
                "options": len(carriers),
                "gold_share": float(is_gold[carriers].mean()),
                "example": ids[options.item[typical]],
            }
        )
    return pa.Table.from_pylist(rows, schema=FEATURE_SCHEMA)
