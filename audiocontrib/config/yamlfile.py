"""YAML files of a configuration. What stands there is text, a list or a mapping; the field says what a text means.

So ``1e-6``, ``010``, ``no`` and a hash of digits are what they look like, whatever a version of YAML makes of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml

from audiocontrib.checked import as_path
from audiocontrib.config.model import build
from audiocontrib.errors import UsageError

C = TypeVar("C")
LARGEST = 1_000_000
"""Bytes; what is larger was not written by a person."""
TAG = "tag:yaml.org,2002:"
TEXTS = (f"{TAG}bool", f"{TAG}int", f"{TAG}float")
KINDS = {f"{TAG}{name}" for name in ("str", "null", "seq", "map", "merge")} | set(TEXTS)


class TextLoader(yaml.SafeLoader):
    """Plain scalars are texts, or null; a mapping holds each key once; no tags of other types."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in known if tag in (f"{TAG}null", f"{TAG}merge")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The node's value. ConstructorError if it has a tag that is none of JSON's types."""
        if node.tag not in KINDS:
            name = node.tag.replace(TAG, "!!")
            raise yaml.constructor.ConstructorError(None, None, f"the tag {name} is not allowed", node.start_mark)
        return super().construct_object(node, deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The node's mapping. ConstructorError if a key stands there twice."""
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the field {key.value!r} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def _text(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


for _tag in TEXTS:
    TextLoader.add_constructor(_tag, _text)


def read_config(cls: type[C], path: str | Path, noun: str = "recipe") -> C:
    """The configuration in a YAML file. UsageError in one line that names the file, and the line or the field."""
    return build(cls, read_fields(path, noun), str(path))


def read_fields(path: str | Path, noun: str = "recipe") -> Any:
    """What a YAML file holds. UsageError in one line that names the file, and the line where there is one."""
    path = as_path(path, noun)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise UsageError(f"{path}: the {noun} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > LARGEST:
        raise UsageError(f"{path}: the {noun} cannot be read: it is larger than a megabyte")
    try:
        return parse_yaml(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        place, problem = raw.count(b"\n", 0, error.start) + 1, "it is not text in UTF-8"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place, problem = mark.line + 1 if mark else 0, ", ".join(filter(None, (error.context, error.problem)))
    except (yaml.YAMLError, RecursionError) as error:
        place, problem = 0, "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    line = f"line {place}: " if place else ""
    raise UsageError(f"{path}: {line}the {noun} cannot be read: {' '.join(problem.split())}")


def parse_yaml(text: str) -> Any:
    """What a text in YAML holds. Raises YAMLError or RecursionError."""
    return yaml.load(text, TextLoader)
