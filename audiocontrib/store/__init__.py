"""Where answers live: a run directory that many processes may fill, and that SQL reads while they do."""

from audiocontrib.store.files import write_table_atomic
from audiocontrib.store.run import Run
from audiocontrib.store.runs import newest_run, open_run
from audiocontrib.store.split_check import SPLIT_SCHEMA
from audiocontrib.store.splits import SavedSplit
from audiocontrib.store.views import VIEWS

__all__ = ["SPLIT_SCHEMA", "VIEWS", "Run", "SavedSplit", "newest_run", "open_run", "write_table_atomic"]
