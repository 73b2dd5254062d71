"""What all tests share: no hub, one thread (two get in each other's way on a core), little garbage collection."""

import gc
import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
gc.set_threshold(20_000, 20, 20)  # each full collection walks all that was imported
