"""An API that answers with whatever bytes a test wants, where the simulator would be too well-behaved."""

import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

EMPTY = b'{"object":"list","data":[],"meta":{"next_cursor":null}}'


def envelope(rows, cursor=b"null"):
    return b'{"object":"list","data":[' + b",".join(rows) + b'],"meta":{"prev_cursor":null,"next_cursor":' + cursor + b"}}"


class RawApi:
    """`pages[path]` is the list of that path's bodies, page after page; a path that is not there is an empty list. `answers[path]` is
    (status, headers, body) in its place."""

    def __init__(self):
        self.pages, self.answers, self.log = {}, {}, []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urlsplit(self.path)
                api.log.append(self.path)
                status, headers, body = api.answers.get(url.path) or (200, {}, api.page(url.path, parse_qs(url.query)))
                self.send_response_only(status)
                for name, value in {"Date": formatdate(time.time(), usegmt=True), "Content-Type": "application/json",
                                    "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def page(self, path, query):
        pages = self.pages.get(path)
        if pages is None:
            return EMPTY
        return pages[int(query.get("cursor", ["0"])[0])]

    def rows(self, path, rows, per_page=None):
        """Serves these objects, each the bytes of one, in that order."""
        per_page = per_page or max(1, len(rows))
        chunks = [rows[i:i + per_page] for i in range(0, len(rows), per_page)] or [[]]
        self.pages[path] = [envelope(chunk, b'"%d"' % (i + 1) if i + 1 < len(chunks) else b"null") for i, chunk in enumerate(chunks)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
