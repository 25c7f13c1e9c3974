"""Finds the data that ships with the code: `configs/` and `references/`."""

from __future__ import annotations

from pathlib import Path

import bench


def data_dir(kind: str) -> Path:
    """The folder of "configs" or "references".

    An installed wheel has it in `bench/_data/`; an editable checkout has it beside the package.
    """
    package = Path(bench.__file__).parent
    shipped = package / "_data" / kind
    return shipped if shipped.is_dir() else package.parent / kind
