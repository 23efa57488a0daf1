"""A way to PostgreSQL on which sessions get lost as in a network: without an answer, or without the server noticing."""

import os
import socket
import threading

SOCKET = ".s.PGSQL.5432"


class Door:
    """Listens in `folder`, and leads to the server in `server`, until it is closed."""

    def __init__(self, folder, server):
        self.server = os.path.join(server, SOCKET)
        self.deaf_to = None   # a session whose first packet holds these bytes gets no answer
        self.unheard, self.lost, self.pairs = [], set(), []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(folder, SOCKET))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def lose(self):
        """Clients see their sessions end; the server goes on with them, holding what they hold."""
        for client, _ in self.pairs:
            self.lost.add(client)
            client.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)   # whoever accepts wakes up
        for each in (self.listener, *self.unheard, *(end for pair in self.pairs for end in pair)):
            each.close()

    def _serve(self):
        try:
            while True:
                threading.Thread(target=self._let_in, args=(self.listener.accept()[0],), daemon=True).start()
        except OSError:   # closed
            pass

    def _let_in(self, client):
        first = client.recv(65536)
        if self.deaf_to is not None and self.deaf_to in first:
            self.unheard.append(client)
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.server)
        server.sendall(first)
        self.pairs.append((client, server))
        threading.Thread(target=self._carry, args=(server, client), daemon=True).start()
        self._carry(client, server)

    def _carry(self, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            if one not in self.lost:
                other.shutdown(socket.SHUT_RDWR)
        except OSError:   # the other has hung up
            pass
