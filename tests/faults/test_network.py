"""What lies between this machine and the source: names, connections, TLS, and the first request of a run. A run that reaches nobody ends
with 3, soon, and says why; what breaks under way is ridden out."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from harness import Case  # noqa: E402

OPENSSL = shutil.which("openssl")


class Listener:
    """A server on a free port of 127.0.0.1: `serve(connection)` for each connection, in a thread of its own."""

    def __init__(self, serve):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.serve, self.connections = self.socket.getsockname()[1], serve, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                connection.settimeout(30)
                self.serve(connection)
            except OSError:
                pass

    def close(self):
        self.socket.close()


def copy(source, target):
    """Bytes from one socket to another until the first has no more."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class NetworkCase(Case):
    def listener(self, serve):
        listener = Listener(serve)
        self.addCleanup(listener.close)
        return listener

    def unreachable(self, source, says, hint=None, env=None, streams=("tags", "tickets")):
        """The run ends with 3, and tells why in one line."""
        result = self.command("run", self.replication(streams, source=source), "--output", "json", "--log-level", "debug", env=env)
        self.assertEqual(3, result.code, str(result))
        self.assertEqual("unreachable", result.summary["fault"])
        self.assertRegex(result.summary["error"], says)
        if hint:
            self.assertRegex(result.summary["hint"], hint)
        for secret in ("sim-key", "c2ltQGV4YW1wbGUuY29tOnNpbS1rZXk="):
            self.assertNotIn(secret, result.stdout + result.stderr)
        return result


class Reaching(NetworkCase):
    def setUp(self):
        super().setUp()
        self.simulator(seed=511, tickets=30)

    def test_a_name_that_does_not_exist(self):
        self.unreachable(self.gorgias(base_url="https://nobody.invalid"), "(?i)resolve", "DNS")

    def test_nobody_listens(self):
        result = self.unreachable(self.gorgias(base_url="http://127.0.0.1:1"), r"127\.0\.0\.1(:| port )1\b", "network")
        self.assertEqual(3, result.summary["requests"])

    def test_a_connection_that_never_stands(self):
        """Nobody accepts, and the queue of those who wait is full."""
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            self.addCleanup(waiting.close)
            waiting.connect_ex(full.getsockname())
        source = self.gorgias(base_url="http://127.0.0.1:%d" % full.getsockname()[1], timeout={"connect": "300ms"})
        self.unreachable(source, "(?i)connect.*time|time.*connect")

    def test_a_server_that_accepts_and_never_answers(self):
        silent = self.listener(lambda connection: connection.recv(65536) and threading.Event().wait(30))
        self.unreachable(self.gorgias(base_url=f"http://127.0.0.1:{silent.port}", timeout={"stall": "1s"}), "too slow")
        self.assertEqual(3, silent.connections)

    def test_a_first_answer_that_never_ends(self):
        """Always a byte, never all of them: the total time-out. Something has been heard, so only the streams fail."""
        self.sim.add_faults({"times": "forever", "fault": "slow", "args": {"bytes": 40, "every": "40ms"}})
        source = self.gorgias(timeout={"total": "1s", "retry": "2s"})
        result = self.run_replication(self.replication(("tags", "tickets"), source=source), expect=1)
        for stream in ("tags", "tickets"):
            self.assertLessEqual(len(self.requests(f"/api/{stream}")), 2)   # of two seconds, time lost in requests is a part
            self.assertRegex(result.stream(stream)["error"], f"/api/{stream}.*time")

    def test_the_first_request(self):
        """The first request of a run fails in the same way for ever."""
        silent = {"connect": "5s", "stall": "1s", "retry": "3s"}
        for fault, expect, says in (("reset-before", 3, "reset"), ("closed", 3, "(?i)empty reply|close"), ("401", 3, "401"),
                                    ("502", 1, "HTTP 502"), ("403", 1, "HTTP 403"), ("html-200", 1, "not JSON"), ("truncated", 1, "closed"),
                                    ("redirect", 1, "HTTP 302")):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                self.sim.clear_log()
                self.sim.add_faults({"times": "forever", "fault": fault})
                file = self.replication(("tags", "tickets"), source=self.gorgias(timeout=silent))
                result = self.run_replication(file, expect=expect)
                self.sim.clear_faults()
                failed = [stream for stream in result.summary["streams"] if stream["status"] == "failed"]
                self.assertTrue(failed)
                for stream in failed:
                    self.assertRegex(stream["error"], says)
                if expect == 1:
                    self.assertEqual(2, len(failed))
                else:
                    self.assertLessEqual(len(self.requests()), 3)
                self.run_replication(file)
                self.assert_equals_source("tags", "tickets")

    def test_an_account_that_nobody_knows(self):
        page = "<!doctype html><title>404 Not Found</title>"
        self.sim.add_faults({"times": "forever", "fault": "404", "args": {"body": page}})
        self.unreachable(self.gorgias(), "no Gorgias account", "subdomain")
        self.assertEqual(1, len(self.requests()))

    def test_credentials_that_are_revoked_half_way(self):
        self.sim.add_faults({"request": 9, "times": "forever", "fault": "401"})
        file = self.replication()
        result = self.run_replication(file, expect=3)
        self.assertIn("401", result.stderr)
        self.sim.clear_faults()
        self.run_replication(file)
        self.assert_equals_source()

    def test_a_server_that_is_gone_for_a_while(self):
        """Its connections are reset and new ones refused, in the middle of everything."""
        self.sim.add_faults({"match": "/api/tickets", "fault": "gone", "args": {"time": "2s"}})
        result = self.run_replication(self.replication())
        self.assertGreater(sum(stream["retries"] for stream in result.summary["streams"]), 1)
        self.assert_equals_source()

    def test_a_signal_in_the_middle_of_a_pause(self):
        for fault, arguments in (("429", {"retry_after": 600}), ("503", {"headers": {"Retry-After": "600"}}), ("stall", {"keep": 0})):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                self.sim.clear_log()
                self.sim.add_faults({"times": "forever", "fault": fault, "args": arguments})
                process = self.start("run", self.replication(("tags", "tickets")), "--output", "json")
                self.wait_for(self.sim.log, "the first request", process)
                process.send_signal(signal.SIGTERM)
                result = self.finish(process, 60)
                self.assertEqual(6, result.code, str(result))
                self.sim.clear_faults()


@unittest.skipUnless(OPENSSL, "there is no openssl to make certificates with")
class Tls(NetworkCase):
    def setUp(self):
        super().setUp()
        self.simulator(seed=512, tickets=5)
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "3", "-subj", "/CN=a test's CA")

    def openssl(self, *arguments):
        subprocess.run([OPENSSL, *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def certificate(self, name, host="localhost", days="3", is_signed=True):
        """name.pem: the certificate and its key."""
        with open(os.path.join(self.folder, "extensions"), "w") as file:
            file.write(f"subjectAltName=DNS:{host}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}")
        signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial") if is_signed else ("-signkey", f"{name}.key")
        self.openssl("x509", "-req", "-in", f"{name}.csr", *signer, "-days", days, "-extfile", "extensions", "-out", f"{name}.crt")
        with open(os.path.join(self.folder, f"{name}.pem"), "w") as file:
            for part in (f"{name}.key", f"{name}.crt"):
                with open(os.path.join(self.folder, part)) as one:
                    file.write(one.read())
        return os.path.join(self.folder, f"{name}.pem")

    def front(self, certificate, version=None):
        """A TLS server before the simulator; what it was sent in clear is in self.heard."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        self.heard = []

        def serve(connection):
            with context.wrap_socket(connection, server_side=True) as inside, socket.create_connection(("127.0.0.1", self.sim.port)) as outside:
                back = threading.Thread(target=copy, args=(outside, inside), daemon=True)
                back.start()
                while data := inside.recv(65536):
                    self.heard.append(data)
                    outside.sendall(data)
                outside.shutdown(socket.SHUT_RDWR)
                back.join(10)
        return self.listener(serve)

    def source(self, listener):
        return self.gorgias(base_url=f"https://localhost:{listener.port}", timeout={"connect": "5s"})

    def distrusted(self, listener, says, connections=1, hint="certificate could not be verified", **env):
        result = self.unreachable(self.source(listener), says, hint, env=env)
        self.assertEqual([], self.heard)
        self.assertEqual([], self.sim.log())
        # One request, not again and again; with localhost as two addresses, perhaps on two of them.
        self.assertEqual(connections, result.summary["requests"])

    def trust(self):
        return {"SSL_CERT_FILE": os.path.join(self.folder, "ca.pem")}

    def test_a_certificate_that_is_right(self):
        front = self.front(self.certificate("good"))
        for variable in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            self.run_replication(self.replication(("tags",), source=self.source(front)), env={variable: os.path.join(self.folder, "ca.pem")})
            self.assert_equals_source("tags")
        self.assertIn(b"Authorization: Basic", b"".join(self.heard))   # so the other tests would see it

    def test_a_certificate_of_nobody_we_know(self):
        self.distrusted(self.front(self.certificate("good")), "(?i)certificate")

    def test_a_self_signed_certificate(self):
        self.distrusted(self.front(self.certificate("self", is_signed=False)), "(?i)self.signed", **self.trust())

    def test_an_expired_certificate(self):
        self.distrusted(self.front(self.certificate("old", days="-1")), "(?i)expired", **self.trust())

    def test_a_certificate_for_another_host(self):
        self.distrusted(self.front(self.certificate("other", host="example.org")), "(?i)localhost|host name|subject", **self.trust())

    def test_a_certificate_file_that_is_not_there(self):
        self.distrusted(self.front(self.certificate("good")), "(?i)certificate", SSL_CERT_FILE=os.path.join(self.folder, "nowhere.pem"))

    def test_an_old_version(self):
        front = self.front(self.certificate("good"), ssl.TLSVersion.TLSv1_1)
        self.distrusted(front, "(?i)version|protocol", connections=3, hint="1.2", **self.trust())

    def test_plain_http_where_tls_should_be(self):
        self.heard = []

        def serve(connection):
            self.heard.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        plain = self.listener(serve)
        self.unreachable(self.source(plain), "(?i)version|ssl|tls", "1.2", env=self.trust())
        for secret in (b"sim-key", b"c2ltQGV4", b"Authorization"):
            self.assertNotIn(secret, b"".join(self.heard))


if __name__ == "__main__":
    unittest.main()
