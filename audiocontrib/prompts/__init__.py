"""Prompts: what a model reads. Chat messages of an item under a condition and an option order."""

from audiocontrib.prompts.base import (
    CLOSE,
    DEFAULT_PROMPT,
    OPEN,
    PROMPTS,
    FunctionPrompt,
    Prompt,
    PromptFormat,
    check_prompt,
    find_prompt,
    make_prompt,
    register_prompt,
    rotate,
    unrotate,
)
from audiocontrib.prompts.file import is_prompt_file, prompt_named, read_prompt, tag_note
from audiocontrib.prompts.lists import LISTS
from audiocontrib.prompts.record import prompt_of, prompt_record
from audiocontrib.prompts.template import SYSTEM, PromptTemplate

__all__ = [
    "CLOSE",
    "DEFAULT_PROMPT",
    "LISTS",
    "OPEN",
    "PROMPTS",
    "SYSTEM",
    "FunctionPrompt",
    "Prompt",
    "PromptFormat",
    "PromptTemplate",
    "check_prompt",
    "find_prompt",
    "is_prompt_file",
    "make_prompt",
    "prompt_named",
    "prompt_of",
    "prompt_record",
    "read_prompt",
    "register_prompt",
    "rotate",
    "tag_note",
    "unrotate",
]
