"""Usage: how a trained model is asked, as a script for its card."""

from __future__ import annotations

from audiocontrib.models.families import Family
from audiocontrib.prompts import SYSTEM, make_prompt


def user_template(question: str, options: str) -> str:
    """The user's text with placeholders in the places of the question and the list."""
    return make_prompt(question, ("a",), has_audio=True).user.replace("['a']", options)


def usage(family: Family, cls: str, seconds: float) -> list[str]:
    """A script that asks the model in the folder one question; it reads the tokens that it was trained on."""
    processor = family.processor()
    ours = processor.__module__.startswith("audiocontrib.")
    reader = f"from audiocontrib.models.processors import {processor.__name__}" if ours else ""
    system = [f'    {{"role": "system", "content": {SYSTEM!r}}},'.replace("'", '"')] if family.system else []
    text = user_template("{question}", "{options}")
    user = [f'user = f"{text}"' if family.system else f'user = f"{SYSTEM}\\n{text}"']
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
