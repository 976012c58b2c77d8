"""A server of files that fails as it is told to."""
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How long a stalled answer waits: longer than any timeout here.
STALL = 20


class Server:
    """Serves a folder's files on a port of its own. `behave` decides about each request what is done: "fine", a status
    ("503"), "stall", "drop", "short", "wrong range"."""

    def __init__(self, folder):
        self.behave, self.asked = lambda number: "fine", []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def do_HEAD(self):
                self.answer(False)

            def do_GET(self):
                self.answer(True)

            def answer(self, with_body):
                path = folder / self.path.lstrip("/")
                if not path.is_file():
                    return self.refuse(404)
                server.asked.append((self.command, self.path, self.headers.get("Range")))
                way = server.behave(len(server.asked))
                if way.isdigit():
                    return self.refuse(int(way))
                if way == "stall":
                    time.sleep(STALL)
                if way in ("stall", "drop"):
                    self.close_connection = True
                    return None
                return self.send(path.read_bytes(), with_body, way)

            def refuse(self, status):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def send(self, data, with_body, way):
                asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
                first, last = 0, len(data) - 1
                if asked:
                    first, last = int(asked[1]), min(int(asked[2] or last), last)
                self.send_response(206 if asked else 200)
                if asked:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(last - first + 1))
                self.end_headers()
                if not with_body:
                    return
                body = data[first:last + 1]
                if way == "wrong range":
                    body = (data * 2)[first + len(data) // 3:][:len(body)]
                if way == "short":
                    body, self.close_connection = body[:len(body) // 2], True
                self.wfile.write(body)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        # Clients that give up are what is wanted here.
        self.http.handle_error = lambda *_: None
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
