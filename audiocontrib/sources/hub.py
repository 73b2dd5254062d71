"""Rows of data sets on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.sources.base import Rows
from audiocontrib.sources.files import BATCH, rows_of_batches


def hub_rows(hub: str, revision: str | None) -> Iterator[tuple[str, Rows]]:
    """The splits of a data set and the rows of each, numbered from 1, audio not decoded.

    Raises:
        AudiocontribError: it cannot be reached and no copy is in the cache, or it cannot be loaded.
    """
    import datasets

    try:
        splits = datasets.load_dataset(hub, revision=revision)
    except ConnectionError as error:
        raise AudiocontribError(
            f"{hub}: the hub cannot be reached and no copy is in its cache ({one_line(error)}); "
            "without a network give a local copy with --data FOLDER"
        ) from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        at = f" at revision {revision!r}" if revision else ""
        raise AudiocontribError(
            f"{hub}{at}: cannot be loaded from the hub ({one_line(error)}); "
            "a copy that is downloaded by other means is read with --data FOLDER"
        ) from error
    for name, rows in splits.items():
        batches = rows.with_format("arrow").iter(batch_size=BATCH)
        yield name, rows_of_batches((b for t in batches for b in t.to_batches()), f"{hub} ({name})")
