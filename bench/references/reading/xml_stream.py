"""Streaming reader for XML from untrusted files: linear time, nothing is fetched, no entity is expanded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lxml import etree

from bench.errors import BenchError


def iter_elements(file: IO[bytes], path: Path, *names: str) -> Iterator[Any]:
    """Yield each element that has one of `names` in any namespace, as soon as it ends.

    An element is emptied when the next one is requested, so memory stays constant. A DOCTYPE is allowed (TMX
    has one) but not loaded. Raises BenchError if the file declares entities or is not well-formed; `path` is
    for the message.
    """
    is_first = True
    try:
        for _, element in etree.iterparse(
            file,
            tag=[f"{{*}}{name}" for name in names],
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        ):
            dtd = element.getroottree().docinfo.internalDTD if is_first else None
            if dtd is not None and any(True for _ in dtd.iterentities()):
                raise BenchError(
                    f"{path} declares XML entities, which are not supported: export it without them."
                )
            is_first = False
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise BenchError(f"{path} is not well-formed XML ({error.msg}): export it again.") from None


def local_name(element: Any) -> str:
    """The element's name without its namespace; "" for an entity reference."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
