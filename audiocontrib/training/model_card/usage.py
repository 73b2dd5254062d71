"""Usage: how a trained model is asked, as a script for its card."""

from __future__ import annotations

import json

from audiocontrib.models.families import Family
from audiocontrib.prompts import PromptFormat, PromptTemplate

LISTED = {
    "python": "options",
    "quoted": '"[" + ", ".join(f"\'\'{option}\'\'" for option in options) + "]"',
    "letters": '"\\n".join(f"{letter}. {option}" for letter, option in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", options))',
    "lines": '"\\n".join(f"- {option}" for option in options)',
}
"""Name of a list of options -> how a script makes it."""


def user_template(prompt: PromptFormat) -> str:
    """The user's text with placeholders in the places of the question and the list; of a function, an example."""
    if isinstance(prompt, PromptTemplate):
        return prompt.user
    return prompt.user_text("{question}", ("{option 1}", "{option 2}"))


def _user_lines(prompt: PromptFormat, system: bool) -> list[str]:
    """What a script does to make the user's text; without a system turn, its text comes first."""
    before = "" if system else f"{prompt.system}\n"
    if not isinstance(prompt, PromptTemplate):
        made = f"make_prompt(question, options, has_audio=True, prompt={json.dumps(prompt.name)}).user"
        note = "from audiocontrib.prompts import make_prompt  # the prompt is of a plugin: load it first"
        return [note, f"user = {json.dumps(before, ensure_ascii=False)} + {made}" if before else f"user = {made}"]
    text = json.dumps(before + prompt.user, ensure_ascii=False).replace("{", "{{").replace("}", "}}")
    for place, name in (("question", "question"), ("options", "options" if prompt.options == "python" else "listed")):
        text = text.replace(f"{{{{{place}}}}}", f"{{{name}}}")
    listed = [] if prompt.options == "python" else [f"listed = {LISTED[prompt.options]}"]
    return [*listed, f"user = f{text}"]


def usage(family: Family, cls: str, seconds: float, prompt: PromptFormat) -> list[str]:
    """A script that asks the model in the folder one question; it reads the tokens that it was trained on."""
    processor = family.processor()
    ours = processor.__module__.startswith("audiocontrib.")
    reader = f"from audiocontrib.models.processors import {processor.__name__}" if ours else ""
    said = json.dumps(prompt.system, ensure_ascii=False)
    system = [f'    {{"role": "system", "content": {said}}},'] if family.system else []
    user = _user_lines(prompt, bool(family.system))
    content = "processor.audio_token + user" if family.inline else (
        '[{"type": "audio", "audio": "clip"}, {"type": "text", "text": user}]'
    )  # fmt: skip
    return [
        "import librosa",
        f"from transformers import {cls}" if ours else f"from transformers import AutoProcessor, {cls}",
        *([f"{reader}  # pip install audiocontrib: the published processor less its image parts"] if ours else []),
        "",
        'folder = "."  # of this card, or its name on the hub',
        f"processor = {processor.__name__ if ours else 'AutoProcessor'}.from_pretrained(folder)",
        f"model = {cls}.from_pretrained(folder).eval()",
        "",
        f'sound, _ = librosa.load("clip.wav", sr=16_000, duration={seconds:g})',
        'question, options = "Which sound is heard first?", ["a dog", "a bell", "rain"]',
        *user,
        "turns = [",
        *system,
        f'    {{"role": "user", "content": {content}}},',
        "]",
        "text = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)",
        "inputs = processor(",
        '    text=[text], audio=[sound], audio_kwargs={"sampling_rate": 16_000},',
        '    text_kwargs={"add_special_tokens": False}, return_tensors="pt",',
        ").to(model.device, model.dtype)",
        "reply = model.generate(**inputs, max_new_tokens=128, do_sample=False)",
        'print(processor.tokenizer.decode(reply[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))',
    ]
