"""A proxy between the program and PostgreSQL that does something at the n-th message of the client.

It reads the frontend's side of the protocol just far enough to count messages: a start-up packet, then a type byte and a length. Each
message is forwarded on its own, so what came in one write can be torn anywhere between two messages, as a network would.

All that the program does to the warehouse goes through these messages, and a message that the server has not got whole does nothing.
So the states in which a crash can leave the warehouse are those after message 1, 2, 3, ...: killing at every message, just before it is
forwarded and just after, enumerates all of them. After a kill the answers of the server are held back, too: the client never learns
whether its COMMIT was carried out."""

import asyncio
import os
import shutil
import struct
import tempfile
import threading

SOCKET = ".s.PGSQL.5432"
BESIDE = b"gorgias-replicate budget"   # the session of a run that carries none of its data: its messages come when they like
WAIT = 240   # seconds until a wait counts as hanging


class Message:
    """One message of the client: its number from 1 on, the connection it came by, its type, and the SQL that it carries."""

    __slots__ = ("number", "connection", "type", "text")

    def __init__(self, number, connection, type, text):
        self.number, self.connection, self.type, self.text = number, connection, type, text

    def __repr__(self):
        return f"message {self.number} ({self.type} {self.text[:60]!r}, connection {self.connection})"


def sql_of(type, body):
    """What a Query or a Parse says."""
    if type == "Q":
        return body.rstrip(b"\0").decode(errors="replace")
    if type == "P":
        return body.split(b"\0", 2)[1].decode(errors="replace")
    return ""


async def read_message(reader, is_first):
    """A message whole, and its type; "startup" is the one without a type byte."""
    head = b"" if is_first else await reader.readexactly(1)
    length = await reader.readexactly(4)
    body = await reader.readexactly(struct.unpack("!i", length)[0] - 4)
    return head.decode("latin-1") or "startup", body, head + length + body


class Proxy:
    """`with Proxy(folder) as proxy:` listens in proxy.folder until the block is left, and forwards to the socket in `folder`."""

    def __init__(self, folder):
        self.server = os.path.join(folder, SOCKET)
        self.folder = tempfile.mkdtemp(prefix="gr-proxy-", dir="/tmp")   # short: it becomes a socket's path
        os.chmod(self.folder, 0o700)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.ready = threading.Event()
        self.reset()

    # -- what happens when

    def reset(self):
        """Counts from 1 again, and has nothing in store."""
        self.messages, self.connections, self.writers = [], 0, set()
        self.trap, self.hit, self.fired, self.is_frozen = None, None, threading.Event(), False
        self.rewrite = None

    def arm(self, trap, action, when="before", do=None):
        """At the message for which trap(message) is true, once: `action` is "cut" (the connection ends), "freeze" (nothing is forwarded
        any more, in neither direction) or "pass"; `do` is called at that moment. `when`: before the message is forwarded, or after."""
        self.trap, self.action, self.when, self.do = trap, action, when, do

    def release(self):
        """Ends a partition."""
        self.is_frozen = False

    def cut_all(self):
        """Ends every connection, now."""
        self._call(self._cut_all)

    def wait(self):
        """Until the trap has sprung."""
        return self.fired.wait(WAIT)

    # -- serving

    def __enter__(self):
        self.thread.start()
        self.ready.wait(WAIT)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, function):
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (function(), done.set()))
        done.wait(WAIT)

    def _serve(self):
        asyncio.set_event_loop(self.loop)
        listener = self.loop.run_until_complete(asyncio.start_unix_server(self._connection, os.path.join(self.folder, SOCKET)))
        self.ready.set()
        self.loop.run_forever()
        listener.close()
        self._cut_all()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def _cut_all(self):
        for writer in list(self.writers):
            writer.transport.abort()

    async def _connection(self, reader, writer):
        self.connections += 1
        number = self.connections
        self.writers.add(writer)
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(self.server)
        except OSError:   # the server is down
            writer.close()
            return
        mute = asyncio.Event()
        self.writers.add(server_writer)
        back = asyncio.ensure_future(self._back(server_reader, writer, mute))
        try:
            await self._forth(number, reader, server_writer, mute)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            mute.set()
            # Gently: what was forwarded must arrive, and be carried out, before the server learns of the end.
            server_writer.close()
            writer.close()
            self.writers -= {writer, server_writer}
            back.cancel()

    async def _thaw(self):
        while self.is_frozen:
            await asyncio.sleep(0.005)

    async def _forth(self, number, reader, writer, mute):
        is_first, is_beside = True, False
        while True:
            type, body, whole = await read_message(reader, is_first)
            is_beside = is_beside or is_first and BESIDE in body
            is_first = False
            await self._thaw()
            if is_beside:
                writer.write(whole)
                await writer.drain()
                continue
            message = Message(len(self.messages) + 1, number, type, sql_of(type, body))
            self.messages.append(message)
            springs = self.trap is not None and not self.fired.is_set() and self.trap(message)
            if springs and self.when == "before" and await self._spring(message, mute):
                return
            if springs and self.when == "after":
                mute.set() if self.action == "cut" else None
                self.is_frozen = self.action == "freeze"
            writer.write(whole if self.rewrite is None else self._rewritten(type, body, whole))
            await writer.drain()
            if springs and self.when == "after" and await self._spring(message, mute):
                return

    def _rewritten(self, type, body, whole):
        """With other SQL: rewrite is a pair of bytes, the old and the new."""
        body = body.replace(*self.rewrite)
        return whole if type not in ("P", "Q") else type.encode() + struct.pack("!i", len(body) + 4) + body

    async def _spring(self, message, mute):
        """True if the connection has ended."""
        self.hit = message
        if self.action == "cut":
            mute.set()
        self.is_frozen = self.action == "freeze"
        if self.do is not None:
            await self.loop.run_in_executor(None, self.do)
        self.fired.set()
        await self._thaw()
        return self.action == "cut"

    async def _back(self, reader, writer, mute):
        try:
            while True:
                data = await reader.read(65536)
                await self._thaw()
                if mute.is_set():
                    return
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
