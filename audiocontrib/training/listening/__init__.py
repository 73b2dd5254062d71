"""Objectives that ask a model to listen: losses that look at what it would say without the audio, and which questions
are asked. All are off by default.

``settings`` what a recipe may say · ``losses`` formulas on tensors · ``distil`` RT-OPD in SFT · ``masked`` the clip
with a part of it silenced, in GRPO · ``drawing`` questions drawn by what the model gets right
"""
