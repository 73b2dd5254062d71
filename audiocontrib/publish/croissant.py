"""Croissant (mlcommons.org/croissant/1.0): the metadata of a published split, as JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""As the specification gives it."""


def croissant(name: str, about: str, file: str, sha256: str, schema: pa.Schema, url: str | None = None) -> str:
    """The metadata of one Parquet file, as JSON.

    Args:
        name: of the data set.
        file: name of the Parquet file beside the metadata, with its ``sha256`` and ``schema``.
        url: where the data set is published.
    """
    made: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": about,
        **({"url": url} if url else {}),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file,
                "name": file,
                "contentUrl": file,
                "encodingFormat": "application/x-parquet",
                "sha256": sha256,
            }
        ],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "items", "name": "items", "field": [_field(file, one) for one in schema]}
        ],
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _field(file: str, column: pa.Field[Any]) -> Mapping[str, Any]:
    listed = pa.types.is_list(column.type)
    return {
        "@type": "cr:Field",
        "@id": f"items/{column.name}",
        "name": column.name,
        "dataType": _kind(column.type.value_type if listed else column.type),
        **({"repeated": True} if listed else {}),
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
