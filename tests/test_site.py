"""The built site, looked at by a real browser: every page, wide and narrow, light and dark.

`nox -s docs` builds the site and names it in KERAS_MASKED_SITE; without it, or without a browser,
this is skipped. One page holds the others in a frame, one after the other, and sends home what it
finds. The browser reaches nothing but this machine, as a reader without a network.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SITE = Path(os.environ.get("KERAS_MASKED_SITE", "no site"))
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WORDS = {
    "install": "install.html",
    "conda": "install.html",
    "pandas": "recipes/data.html",
    "TensorBoard": "looking.html",
    "multi-task": "tox21.html",
    "imputation": "",  # any page
    "mask": "missing.html",
}
pytestmark = pytest.mark.skipif(not SITE.is_dir(), reason="`nox -s docs` builds the site")

BROWSING = Path(__file__).parent / "browser"
LOOK = (BROWSING / "look.html").read_text()
# Comes first on every page, so that nothing that goes wrong there is missed.
WATCH = (BROWSING / "watch.html").read_bytes()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site, each page watched; keeps what was asked for in vain, and what was found."""

    def do_GET(self) -> None:
        if self.path == "/look":
            self.answer(self.server.look.encode())  # type: ignore[attr-defined]
        elif self.path.partition("?")[0].endswith(".html"):
            text = Path(self.translate_path(self.path)).read_bytes()
            self.answer(text.replace(b"<head>", b"<head>" + WATCH, 1))
        else:
            super().do_GET()

    def answer(self, text: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.found = json.loads(text)  # type: ignore[attr-defined]
        self.answer(b"")
        self.server.done.set()  # type: ignore[attr-defined]

    def log_message(self, text: str, *values: Any) -> None:
        if len(values) > 1 and str(values[1]) == "404" and "favicon" not in str(values[0]):
            self.server.absent.append(str(values[0]))  # type: ignore[attr-defined]

    def log_error(self, *ignored: Any) -> None:
        """What is not there has been noted."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What the browser found on each page, and by each search."""
    if BROWSER is None:
        pytest.skip("there is no browser")
    pages = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html"))
    pages = [page for page in pages if not page.startswith(("_modules", "_static"))]
    handler = functools.partial(Handler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        asked = json.dumps({"pages": pages, "words": list(WORDS)})
        server.look = LOOK.replace("ASKED", asked)  # type: ignore[attr-defined]
        server.done, server.absent = threading.Event(), []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
            "--window-size=1400,1000", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
            f"http://127.0.0.1:{server.server_port}/look",
        ]  # fmt: skip
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **quiet) as browser:
            try:
                assert server.done.wait(timeout=600), "the browser sent nothing"
            finally:
                browser.terminate()
        server.shutdown()
        yield {**server.found, "absent": server.absent}  # type: ignore[attr-defined]


def test_every_page_is_whole(seen: dict[str, list[str]]) -> None:
    """No error in the console, no missing picture, no raw TeX, nothing wider than a phone."""
    found = {page: says for page, says in seen.items() if not page.startswith("search ")}
    assert len(found) > 100
    wrong = [f"{page}: {text}" for page, says in found.items() for text in says]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("word", WORDS)
def test_search_finds(seen: dict[str, list[str]], word: str) -> None:
    results = seen[f"search {word}"]
    assert results
    assert WORDS[word] in ("", *results)


def test_needs_no_network() -> None:
    """Nothing that a page loads comes from elsewhere."""
    for page in SITE.rglob("*.html"):
        text = page.read_text()
        for start in ("<script src=", "<script async=", '<link rel="stylesheet"', "<img src="):
            assert f'{start}"http' not in text, page
        assert "cdn.jsdelivr" not in text, page
