"""An empty Flask echo: the order is read as JSON, its fields are there, and it is given back. Run in an environment of its own.

    flask_path.py     prints its port and serves until it is ended

Served by gunicorn, which is what Flask's own documents name first, with one worker process. Its worker is gthread: sync, the
default, closes the connection behind each answer, and would be measured by the connections it makes anew.
"""

import socket

from flask import Flask, jsonify, request
from gunicorn.app.base import BaseApplication

THREADS = 4
app = Flask(__name__)


@app.post("/api/v1/orders")
def echo():
    """Give it back."""
    order = request.get_json()
    if not all(isinstance(order.get(name), str) for name in ("symbol", "side", "quantity")):
        return jsonify(error="symbol, side and quantity are asked for"), 422
    return jsonify(order), 201


class Server(BaseApplication):
    """gunicorn, told by this file and not by a command line."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        super().__init__()

    def load_config(self):
        """One process; connections stay open."""
        settings = {
            "bind": f"fd://{self.descriptor}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 60,
            "worker_connections": 1000,
            "loglevel": "error",
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self):
        """What is served."""
        return app


def main():
    """Say where, and serve."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    listening.set_inheritable(True)
    print(listening.getsockname()[1], flush=True)
    Server(listening.fileno()).run()


if __name__ == "__main__":
    main()
