"""XML from strangers, read as it comes: in linear time, and with nothing fetched or expanded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lxml import etree

from bench.errors import BenchError


def elements(file: IO[bytes], path: Path, *names: str) -> Iterator[Any]:
    """Each element of one of these names, in any namespace, as it ends; it is emptied when the next one is asked for.

    A DOCTYPE may stand there (TMX has one) and is not loaded. Raises BenchError where the file declares entities or is not
    well-formed.
    """
    first = True
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
            dtd = element.getroottree().docinfo.internalDTD if first else None
            if dtd is not None and any(True for _ in dtd.iterentities()):
                raise BenchError(f"{path} declares XML entities, which are not read: export it without them.")
            first = False
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise BenchError(f"{path} is not well-formed XML ({error.msg}): export it again.") from None


def name(element: Any) -> str:
    """Without its namespace; "" for what is no element, such as a reference to an entity."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
