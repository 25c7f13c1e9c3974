"""A store as a dataset with a Croissant description (https://docs.mlcommons.org/croissant, version 1.0).

hypotheses.jsonl has a row per segment and run, scores.jsonl one per run and metric. croissant.json describes both;
package `mlcroissant` validates it and reads the rows: tests/exchange/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bench import __version__
from bench.api import Results
from bench.core import ReferenceSet
from bench.languages import DIRECTIONS

_RUN = ("set", "direction", "system", "run")
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "hypotheses": dict.fromkeys((*_RUN, "id", "source", "reference", "hypothesis"), "sc:Text"),
    "scores": {
        **dict.fromkeys((*_RUN, "metric"), "sc:Text"),
        **dict.fromkeys(("value", "low", "high"), "sc:Float"),
        "signature": "sc:Text",
    },
}
"""Record set -> its columns and their types."""

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
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
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification gives."""


def files(results: Results, references: Sequence[ReferenceSet], made: datetime) -> dict[str, str]:
    """File name -> content. `made`: the date of the newest run."""
    rows = {
        "hypotheses": [
            row
            for reference in references
            for direction in DIRECTIONS
            for row in results.segments(reference.id, direction)
        ],
        "scores": list(results.scores()),
    }
    contents = {
        f"{name}.jsonl": "".join(
            json.dumps({column: row[column] for column in _COLUMNS[name]}, ensure_ascii=False) + "\n"
            for row in named
        )
        for name, named in rows.items()
    }
    description = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "-".join(reference.id for reference in references),
        "description": "Machine translations of official documents, and their scores: "
        + "; ".join(f"{reference.title}, set hash {reference.sha256[:12]}" for reference in references),
        "license": "; ".join(dict.fromkeys(reference.licence for reference in references)),
        "version": __version__,
        "datePublished": made.date().isoformat(),
        "distribution": [_file(name, text) for name, text in contents.items()],
        "recordSet": [_record_set(name) for name in _COLUMNS],
    }
    return {**contents, "croissant.json": json.dumps(description, ensure_ascii=False, indent=1) + "\n"}


def _file(name: str, text: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": "application/jsonlines",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _record_set(name: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "dataType": kind,
                "source": {"fileObject": {"@id": f"{name}.jsonl"}, "extract": {"column": column}},
            }
            for column, kind in _COLUMNS[name].items()
        ],
    }
