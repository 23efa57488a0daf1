"""HTTP/1.1 by hand, so that it can be done wrong: keep-alive, and answers that are cut, reset, slow or badly framed."""

import asyncio
import socket
import struct
import sys
import threading
import traceback

from reply import Reply

HEAD_LIMIT, BODY_LIMIT = 64 << 10, 64 << 20


class Request:
    def __init__(self, method, target, headers, body, connection):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        path, _, self.query = target.partition("?")
        # Both /api/tags and /api/tags/ work.
        self.path = path.rstrip("/") or "/"
        self.client, self.connection = None, connection
        self.origin = "http://" + headers.get("host", "localhost")


class Server:
    def __init__(self, simulator, host="127.0.0.1", port=0):
        self.simulator, self.host = simulator, host
        self.connections = 0
        # Bound here, so that the port is known, and refused ports are reported, before anything runs.
        self.socket = socket.create_server((host, port), backlog=256)
        self.port = self.socket.getsockname()[1]

    # -- in a thread of its own

    def start(self):
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve(started)), name="gorgias-sim", daemon=True)
        self.thread.start()
        started.wait(10)

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(10)

    async def serve(self, started=None):
        """Until self.stopping is set. Then every connection is dropped."""
        self.loop, self.stopping, tasks = asyncio.get_running_loop(), asyncio.Event(), set()
        self.tasks = tasks

        def connected(reader, writer):
            # Known, and sure to be closed, from the first moment: a stop may come before the task has begun.
            task = self.loop.create_task(self._served(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(lambda _: writer.close())

        self.connected = connected
        self.listener = await asyncio.start_server(connected, sock=self.socket, limit=HEAD_LIMIT)
        if started:
            started.set()
        await self.stopping.wait()
        # Accept no more, but let what was just accepted arrive in `connected`: a closed server would lose its socket unclosed.
        if self.socket.fileno() >= 0:
            self.loop.remove_reader(self.socket.fileno())
        await asyncio.sleep(0.01)
        self.listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)   # the callbacks close the connections

    async def _leave(self, seconds):
        """Refuses connections for a while."""
        self.listener.close()
        for task in list(self.tasks):
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(seconds)
        self.socket = socket.create_server((self.host, self.port), backlog=256)
        self.listener = await asyncio.start_server(self.connected, sock=self.socket, limit=HEAD_LIMIT)

    async def _served(self, reader, writer):
        try:
            await self._connection(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass

    # -- one connection

    async def _connection(self, reader, writer):
        self.connections += 1
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number, served = self.connections, 0
        while True:
            request, keep = await self._read(reader, writer, number)
            if request is None:
                return
            delay = self.simulator.delay(request)
            if delay:
                await asyncio.sleep(delay)
            try:
                reply = self.simulator.answer(request)
            except Exception:   # a bug of the simulator: loud, and not mistaken for a fault
                traceback.print_exc(file=sys.stderr)
                reply = Reply.error(request.target, 599, "The simulator failed; see its stderr.")
            served += 1
            limit = self.simulator.settings.keepalive_max
            keep = keep and not (limit and served >= limit)
            if not await self._write(reader, writer, reply, keep) or not keep:
                return

    async def _read(self, reader, writer, number):
        """(request, whether the client wants to go on), or (None, False) at the end or for nonsense."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None, False
        lines = head[:-4].decode("latin-1").split("\r\n")
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return None, False
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        body = b""
        if length.isdigit() and 0 < int(length) <= BODY_LIMIT:
            if headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(length))
        connection = headers.get("connection", "").lower()
        keep = connection != "close" and (parts[2] == "HTTP/1.1" or connection == "keep-alive")
        return Request(parts[0], parts[1], headers, body, number), keep

    # -- one answer

    async def _write(self, reader, writer, reply, keep):
        """True when the connection is still good."""
        kind, *how = reply.wire or ("whole",)
        body = reply.body
        if kind == "close":
            return False
        if kind == "reset" and how[0] is None:
            return self._reset(writer)
        if kind == "gone":
            self.leaving = self.loop.create_task(self._leave(how[0]))
            return self._reset(writer)
        if kind == "old":
            head = self._head(reply, False, 0, chunked=False).replace(b"HTTP/1.1", b"HTTP/1.0", 1).replace(b"Content-Length: 0\r\n", b"")
            writer.write(head + body[:int(len(body) * how[0])])
            await writer.drain()
            return False
        head = self._head(reply, keep, len(body) + (how[0] if kind == "length" else 0), chunked=kind == "chunked")
        if kind == "whole":
            writer.write(head + body if len(body) < 65536 else head)
            if len(body) >= 65536:
                writer.write(body)
            await writer.drain()
            return True
        if kind == "drip":
            whole = head + body
            for at in range(0, len(whole), how[0]):
                writer.write(whole[at:at + how[0]])
                await writer.drain()
                await asyncio.sleep(how[1])
            return True
        if kind == "stall":
            writer.write((head if how[0] else b"") + body[:int(len(body) * how[0])])
            await writer.drain()
            try:   # silence, until the client gives up
                await asyncio.wait_for(reader.read(1), how[1])
            except asyncio.TimeoutError:
                pass
            return False
        if kind == "chunked":
            writer.write(head)
            size, cut = how
            for at in range(0, len(body), size):
                piece = body[at:at + size]
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not cut:
                writer.write(b"0\r\n\r\n")
            await writer.drain()
            return not cut
        writer.write(head)
        writer.write(body if kind == "length" else body[:int(len(body) * how[0])])
        await writer.drain()
        if kind == "reset":
            # What was written must have left before the reset overtakes it.
            await asyncio.sleep(0.02)
            return self._reset(writer)
        # Too few bytes: only the close shows it. Too many: they lie in the way of the next answer.
        return kind == "length" and how[0] < 0

    @staticmethod
    def _reset(writer):
        """RST instead of FIN."""
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    def _head(self, reply, keep, length, chunked):
        lines = [f"HTTP/1.1 {reply.status} {reply.reason()}", "Server: gorgias-sim"]
        if reply.date:
            lines.append(f"Date: {self.simulator.clock.date(reply.skew)}")
        if reply.retry_by is not None:
            lines.append(f"Retry-After: {self.simulator.clock.date(reply.retry_by)}")
        if reply.call_limit:
            lines.append(f"X-Gorgias-Account-Api-Call-Limit: {reply.call_limit}")
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        if reply.status != 204:
            lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}")
        lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
