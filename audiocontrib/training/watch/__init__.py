"""Watching: held-out questions that the network is asked while it is trained, and what follows from its answers.

``settings`` what is asked for · ``held_out`` which items, and what else they bar · ``asking`` the network's answers ·
``measures`` what they say · ``table`` the curve, its best step and its end · ``watcher`` between trainer and curve
"""
