"""Pages in a real Chromium, with a record of what goes wrong in them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import Any

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
"""The path of the browser, or None."""


@dataclass
class Browser:
    """Opens pages, each in a context of its own. `requests` and `faults` are those of all pages."""

    chromium: Any
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def open(self, url: str, **options: Any) -> Any:
        """A page that shows `url`. `options` are those of Playwright's `new_context`."""
        self.contexts.append(self.chromium.new_context(**options))
        page = self.contexts[-1].new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()
