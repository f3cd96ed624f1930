"""A local chat server that takes messages as the incoming webhooks of WeCom and DingTalk do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


class Receiver(BaseHTTPRequestHandler):
    """A chat server's incoming webhook; ``got`` are the messages, ``errcode`` its answer."""

    got: list[str]
    errcode = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).got.append(body["text"]["content"])
        answer = json.dumps({"errcode": type(self).errcode, "errmsg": "as asked"}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[str]:
    """Address of the webhook, while its server runs and ``Receiver.got`` is emptied."""
    Receiver.got, Receiver.errcode = [], 0
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/cgi-bin/webhook/send?key=x"
    finally:
        server.shutdown()
        server.server_close()
