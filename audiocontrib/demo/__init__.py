"""The demos: the whole way on the embedded models and made-up clips, and on real recordings."""

from audiocontrib.demo.planted import TINY, Demo, Verdict, demo, verdict
from audiocontrib.demo.real import RealDemo, WeakItem, demo_real

__all__ = ["TINY", "Demo", "RealDemo", "Verdict", "WeakItem", "demo", "demo_real", "verdict"]
