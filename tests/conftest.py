"""What all tests share: no hub, and one thread (two that share a core get in each other's way)."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
