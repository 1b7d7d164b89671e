# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on 127.0.0.1 for the repositories of repo.py: /NAME/metadata/..., /NAME/targets/.... What is asked for is taken
literally, undecoded, and noted."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        self.repos = {}
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def base(self, name):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Endless(bytes):
    """Served without a length, and without an end."""


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        name, _, path = self.path.lstrip("/").partition("/")
        repo = self.server.repos.get(name)
        if repo is None:
            self.send_error(404)
            return
        repo.requests.append(path if self.command == "GET" else f"{self.command} {path}")
        found = repo.files.get(path)
        if callable(found):
            found = found()
        status, data = found if isinstance(found, tuple) else (200, found)
        if data is None:
            status, data = (404, b"not here") if found is None else (status, b"")
        self.send_response(status)
        if isinstance(data, Endless):
            self.end_headers()
            try:
                while True:
                    self.wfile.write(data)
            except OSError:
                return
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            pass

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *args):
        pass
