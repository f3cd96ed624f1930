"""health.py: healthy only when the page answers and says so."""

import runpy
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

HEALTH = Path(__file__).resolve().parents[3] / "docker" / "health.py"
PAGES = {
    "/up": (200, b'{"metadatabase": {"status": "healthy"}}'),
    "/ill": (200, b'{"metadatabase": {"status": "unhealthy"}}'),
    "/other": (200, b'{"scheduler": {"status": "healthy"}}'),
    "/plain": (200, b""),
    "/down": (503, b""),
}


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = PAGES[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("page", "part", "healthy"),
    [
        ("/up", "metadatabase", True),
        ("/ill", "metadatabase", False),
        ("/other", "metadatabase", False),
        ("/plain", None, True),
        ("/plain", "metadatabase", False),
        ("/down", None, False),
    ],
)
def test_a_page_is_healthy_when_it_says_so(address, page, part, healthy):
    assert runpy.run_path(str(HEALTH))["healthy"](address + page, part) is healthy


def test_the_exit_code_tells_docker(address):
    def run(*arguments: str) -> int:
        return subprocess.run([sys.executable, HEALTH, *arguments], check=False).returncode

    assert run(address + "/up", "metadatabase") == 0
    assert run(address + "/down") == 1
    assert run("http://127.0.0.1:9/closed") == 1
