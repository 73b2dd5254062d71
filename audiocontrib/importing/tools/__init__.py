"""Logs that other tools write, one file for each tool."""

from audiocontrib.importing.tools import evalscope, inspect_ai, lighteval, lm_eval, lmms_eval, official, vlmevalkit
from audiocontrib.importing.tools.base import TOOLS, AnswerTool, find_logs, register_tool

__all__ = [
    "TOOLS",
    "AnswerTool",
    "evalscope",
    "find_logs",
    "inspect_ai",
    "lighteval",
    "lm_eval",
    "lmms_eval",
    "official",
    "register_tool",
    "vlmevalkit",
]
