"""The whole loop: score, split, train on the weak and then the strong part, score again, and say what was learned.

``plan`` what is asked for · ``rehearsal`` all of it tried before anything is asked · ``loop`` the steps ·
``outside`` training by another trainer

Every step leaves its result in a folder and goes on from there: the same call after a kill asks and trains nothing
twice.
"""

from audiocontrib.weak_to_strong.loop import TRAINED, Learned, weak_to_strong
from audiocontrib.weak_to_strong.plan import DataConfig, WeakToStrongPlan, read_plan

__all__ = ["TRAINED", "DataConfig", "Learned", "WeakToStrongPlan", "read_plan", "weak_to_strong"]
