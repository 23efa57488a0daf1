"""No credential leaves the program but to the source and the warehouse: a search for it, in all its forms, through all that comes out."""

import base64
import json
import os
import pwd
import shutil
import ssl
import stat
import subprocess
import unittest
from urllib.parse import quote

from harness import BINARY, STREAMS, Case, postgres
from raw_api import RawApi

# What no key has, but may have: it must survive YAML, JSON, URLs and shells, and must be found in all their ways of writing it.
KEY = "K'3y\"%41\\x!{}$&~=odd"
PASSWORD = "p@ss w\u00f6rd'\"%\\/&?#=$X"
USER = "sim@example.com"
CLIENT_SECRET = "cl!ent\"s3cret\\%2F+/="
REFRESH = "r3fresh'\"tok%n\\+/="


def forms(secret, user=None):
    """How a secret may be written: as it is, in a URL, in JSON, in SQL, in YAML, in a header."""
    found = {secret, quote(secret, safe=""), quote(secret, safe="").lower(), quote(secret, safe="/"), json.dumps(secret)[1:-1],
             json.dumps(secret, ensure_ascii=False)[1:-1], secret.replace("'", "''"), secret.replace('"', '\\"'), secret.replace('"', '""')}
    found.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    if user is not None:
        found.add(base64.b64encode(f"{user}:{secret}".encode()).decode())
    # No part of it either: what is cut or escaped in between is still half a secret.
    found.update({secret[:len(secret) * 2 // 3], secret[len(secret) // 3:]})
    return found


class Secrets(Case):
    def setUp(self):
        super().setUp()
        self.hidden = set()
        self.env = {}

    def hide(self, secret, user=None):
        self.hidden |= forms(secret, user)

    def search(self, **texts):
        for place, text in texts.items():
            for secret in self.hidden:
                self.assertNotIn(secret, text, f"in {place}")

    def state(self):
        """All that the program has written into its own tables."""
        tables = self.database.column("select quote_ident(nspname) || '.' || quote_ident(relname) from pg_class c join pg_namespace n"
                                      " on n.oid = relnamespace where nspname = '_gorgias_replicate' and relkind = 'r'")
        return "\n".join(str(self.database.rows(f"select * from {table}")) for table in tables)

    def outputs(self, file, *options, expect=0, env=None, command="run"):
        """Runs at the most talkative, in text and JSON by turns, and searches all that comes out."""
        self.turn = not getattr(self, "turn", False)
        metrics = os.path.join(self.folder, "metrics.prom")
        more = ("--output", "json", "--progress", "never", "--metrics-file", metrics) if command == "run" else ()
        result = self.command(command, file, "--log-level", "debug", "--log-format", "json" if self.turn else "text", *more, *options,
                              env={**self.env, **(env or {})})
        self.assertEqual(expect, result.code, str(result))
        self.search(stdout=result.stdout, stderr=result.stderr, metrics=self.read(metrics), state=self.state())
        return result

    def read(self, path):
        if not os.path.exists(path):
            return ""
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")


class ApiKey(Secrets):
    def setUp(self):
        super().setUp()
        self.simulator(seed=1, tickets=8, key=KEY, latency="20ms")
        self.hide(KEY, USER)
        self.source = self.gorgias(api_key=KEY)

    def test_every_form_of_a_connection(self):
        nested = {"type": "api", "spec": "gorgias", "secrets": {"subdomain": "demo", "email": USER, "api_key": KEY},
                  "inputs": {"base_url": self.sim.url, "anchor_date": "2001-01-01", "rate": {"requests": 100000, "per": "1s"}}}
        without = {key: value for key, value in self.source.items() if key != "api_key"}
        os.makedirs(os.path.join(self.folder, ".sling"))
        target = {"WAREHOUSE": self.database.url()}
        elsewhere = self.replication(("tags",), connections=target, name="elsewhere.yaml")
        for name, file, env in (
                ("flat", self.replication(("tags",), source=self.source), {}),
                ("nested", self.replication(("tags",), source=nested, name="nested.yaml"), {}),
                ("a variable", self.replication(("tags",), source={**without, "api_key": "${THE_KEY}"}, name="variable.yaml"), {"THE_KEY": KEY}),
                ("a file", self.replication(("tags",), source={**without, "api_key_file": self.write("key", f"  {KEY}\n")}, name="file.yaml"), {}),
                ("JSON in the environment", elsewhere, {"GORGIAS": json.dumps(self.source)}),
                ("YAML in the environment", elsewhere, {"GORGIAS": "\n".join(f"{k}: {json.dumps(v)}" for k, v in self.source.items())}),
                ("env.yaml", elsewhere, None)):
            with self.subTest(name):
                if env is None:
                    self.write(".sling/env.yaml", json.dumps({"connections": {"GORGIAS": self.source}}))
                self.outputs(file, env=env)
                self.outputs(file, env=env, command="validate")
                self.outputs(file, env=env, command="check")

    def test_refusals_that_repeat_the_credentials(self):
        """A server may well put what it was sent into its answer, or into the target of a redirect."""
        api = RawApi()
        self.addCleanup(api.close)
        basic = base64.b64encode(f"{USER}:{KEY}".encode())
        body = json.dumps({"error": {"msg": f"bad key {KEY}", "data": {"header": f"Basic {basic.decode()}", "key": [KEY]}}}).encode()
        source = self.gorgias(api_key=KEY, base_url=api.url)
        for path, answer, code in (("/api/tags", (403, {}, body), 1), ("/api/tags", (400, {}, body), 1), ("/api/tags", (401, {}, body), 3),
                                   ("/api/tags", (302, {"Location": f"https://evil.example/?k={quote(KEY, safe='')}"}, b""), 1),
                                   ("/api/tags", (302, {"Location": f"http://{KEY}@evil.example/"}, b""), 1),
                                   ("/api/tags", (200, {}, b'{"data": null, "meta": {}, "key": ' + json.dumps(KEY).encode() + b"}"), 1)):
            with self.subTest(status=answer[0]):
                api.answers = {path: answer}
                self.outputs(self.replication(("tags",), source=source), expect=code)

    def test_a_wrong_key(self):
        self.sim.set(key="another")
        self.outputs(self.replication(("tags",), source=self.source), expect=3)

    def test_mistakes_beside_the_key(self):
        whole = json.dumps(KEY)
        for name, text in {
                "an unknown key": f"subdomain: a\nemail: {USER}\napi_kye: {whole}\n", "no space": f"{{subdomain: a, email: {USER}, \"api_key:{KEY[:4]}zzz\"}}",
                "an equals sign": "{subdomain: a, api_key=zzzz-secret-zzzz}", "no space in a flow": "{subdomain: a, email: a@b, api_key:zzzz-secret-zzzz}",
                "a tag": "{subdomain: a, api_key: !zzzz-secret-zzzz }", "an alias": "{subdomain: a, api_key: *zzzz-secret-zzzz }",
                "an anchor": "{subdomain: a, api_key: &zzzz-secret-zzzz }", "unclosed": "{subdomain: a, api_key: zzzz-secret-zzzz", "a quote": "api_key: 'zzzz-secret-zzzz",
                "two in a line": "email: a@b api_key: zzzz-secret-zzzz", "in the address": "{subdomain: a, email: 'a@b:zzzz-secret-zzzz', api_key: aaaa}",
                "in the subdomain": "{subdomain: 'https://a@b:zzzz-secret-zzzz@c.gorgias.com', email: a@b, api_key: aaaa}",
                "in the URL": "{subdomain: a, email: a@b, api_key: aaaa, base_url: 'https://a:zzzz-secret-zzzz@b'}", "a bare text": "zzzz-secret-zzzz",
                "another URL": "mysql://a:zzzz-secret-zzzz@b/c", "a list": "[zzzz-secret-zzzz]", "secrets that are a text": "{type: api, secrets: zzzz-secret-zzzz}",
                "a list of secrets": "{type: api, secrets: [zzzz-secret-zzzz]}", "a key in a list": "{subdomain: a, email: a@b, api_key: [zzzz-secret-zzzz]}",
                "a space": "{subdomain: a, email: a@b, api_key: 'zzzz-secret-zzzz with'}", "a letter": "{subdomain: a, email: a@b, api_key: 'zzzz-secret-zzzz\u00e4'}",
                "too many": "{subdomain: a, email: a@b, api_key: zzzz-secret-zzzz, access_token: zzzz-secret-zzzz}", "twice": "{api_key: a, api_key: zzzz-secret-zzzz}",
                "a tab": "\tapi_key: zzzz-secret-zzzz", "an unset variable": "{subdomain: a, email: a@b, api_key: 'zzzz-secret-zzzz${NOT_SET}'}"}.items():
            self.hidden |= {"zzzz-secret", "secret-zzzz", f"{KEY[:4]}zzz"}
            for place in ("environment", "env.yaml", "file"):
                with self.subTest(name, place=place):
                    env, own = {}, {}
                    if place == "environment":
                        env["GORGIAS"] = text
                    elif place == "env.yaml":
                        os.makedirs(os.path.join(self.folder, ".sling"), exist_ok=True)
                        self.write(".sling/env.yaml", "connections:\n  GORGIAS:\n" + "".join(f"    {line}\n" for line in text.splitlines()))
                    else:
                        self.write("bad.yaml", f"source: GORGIAS\ntarget: WAREHOUSE\nstreams: {{tags: }}\ndefaults: {{object: g.t}}\n"
                                               "connections:\n  WAREHOUSE: postgresql:///x\n  GORGIAS:\n" + "".join(f"    {line}\n" for line in text.splitlines()))
                    file = os.path.join(self.folder, "bad.yaml") if place == "file" else self.replication(("tags",), connections={"WAREHOUSE": self.database.url()})
                    result = self.command("validate", file, env={**env, **own})
                    self.assertEqual(2, result.code, str(result))
                    self.search(stdout=result.stdout, stderr=result.stderr)
        self.assertEqual([], self.sim.log())

    def test_what_others_on_the_machine_and_in_the_database_can_see(self):
        """The list of processes, also where a value of --env is a secret, and the list of sessions."""
        self.sim.add_faults({"match": "/api/tags", "times": "forever", "fault": "stall", "args": {"keep": 0}})
        file = self.replication(("tags",), source=self.source)
        for arguments in (("--env", f"X={KEY}"), (f"--env=X={KEY}",)):
            with self.subTest(arguments=arguments):
                self.sim.clear_log()
                process = self.start("run", file, *arguments)
                self.wait_for(lambda: self.sim.log(), "the first request", process)
                command_line = self.read(f"/proc/{process.pid}/cmdline")
                self.assertIn("X=***", command_line)
                sessions = str(self.database.rows("select * from pg_stat_activity where pid <> pg_backend_pid()"))
                self.assertIn(self.database.name, sessions)
                self.search(arguments=command_line, sessions=sessions)
                with open(f"/proc/{process.pid}/limits") as limits:
                    self.assertIn("Max core file size 0 0", " ".join(limits.read().split()))
                self.kill(process)

    def test_its_memory_is_for_nobody_else(self):
        """Not for other processes of its user either: then what /proc tells of it belongs to root. It waits for its file meanwhile."""
        os.chmod(self.folder, 0o755)
        program = shutil.copy(BINARY, self.folder)   # where any user may run it
        with open(program, "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("the leak check looks into the memory")
        fifo = os.path.join(self.folder, "fifo")
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
        self.addCleanup(os.close, os.open(fifo, os.O_RDWR))   # so that it is not at its end
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        process = subprocess.Popen([program, "validate", fifo], env=self.environment(), stderr=subprocess.DEVNULL, **user)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def reads():
            folder = f"/proc/{process.pid}/fd"
            try:
                return any(os.readlink(os.path.join(folder, number)) == fifo for number in os.listdir(folder))
            except FileNotFoundError:   # closed meanwhile
                return False
            except PermissionError:
                return True
        self.wait_for(reads, "the reading of its file")
        self.assertEqual(0, os.stat(f"/proc/{process.pid}/environ").st_uid)

    def test_files_that_others_can_read_are_named_once(self):
        without = {key: value for key, value in self.source.items() if key != "api_key"}
        literal = self.replication(("tags",), source=self.source, name="literal.yaml")
        quiet = self.replication(("tags",), source={**without, "api_key": "${THE_KEY}"}, name="quiet.yaml")
        by_file = self.replication(("tags",), source={**without, "api_key_file": self.write("key", KEY)}, name="by_file.yaml")
        password = self.replication(("tags",), source={**without, "api_key": "${THE_KEY}"}, name="password.yaml",
                                    target=self.database.url().replace("postgresql://", "postgresql://postgres:secret@"))
        for file, mode, path, warns in ((literal, 0o600, literal, False), (literal, 0o644, literal, True), (literal, 0o640, literal, True),
                                        (quiet, 0o644, quiet, False), (by_file, 0o600, "key", False), ("key", 0o644, "key", True), (password, 0o644, password, True)):
            with self.subTest(path=path, mode=oct(mode)):
                os.chmod(os.path.join(self.folder, path), mode)
                result = self.command("validate", by_file if path == "key" else file, env={"THE_KEY": KEY})
                self.assertEqual(0, result.code, str(result))
                self.assertEqual(warns, "can be read by others" in result.stderr, result.stderr)
                self.assertEqual(int(warns), result.stderr.count(path))

    def test_no_proxy_no_netrc(self):
        self.write(".netrc", "machine 127.0.0.1 login someone password else\n")
        trap = RawApi()
        self.addCleanup(trap.close)
        env = {name: trap.url for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")}
        self.outputs(self.replication(("tags",), source=self.source), env=env)
        self.assertEqual([], trap.log)
        self.assert_equals_source("tags")

    def test_plain_http_goes_nowhere_else(self):
        for url in ("http://127.0.0.1.evil.example", "http://localhost@evil.example/", "http://0.0.0.0", "http://2130706433", "http://0x7f000001", "http://127.1",
                    "http://10.0.0.1", "http://[::]", "http://[::ffff:127.0.0.1]", "http://localhost.evil.example", "http://127.0.0.1:80@evil.example",
                    "http://127.0.0.1\\@evil.example", "http://127.0.0.1%2f@evil.example", "http://127.0.0.01", "HTTP://evil.example", "ftp://127.0.0.1", "file:///etc/passwd"):
            with self.subTest(url=url):
                result = self.command("validate", self.replication(("tags",), source=self.gorgias(api_key=KEY, base_url=url)))
                self.assertEqual(2, result.code, str(result))
                self.assertIn("base_url", result.stderr)

    def test_tls_cannot_be_loosened(self):
        """No key of a connection and no variable of the environment turns the verification off: a server whose certificate nobody has
        signed is asked nothing."""
        for key in ("insecure", "verify", "tls_verify", "ssl_verify", "ca_file", "proxy"):
            result = self.command("validate", self.replication(("tags",), source=self.gorgias(api_key=KEY, **{key: "false"})))
            self.assertEqual(2, result.code, str(result))
            self.assertIn(f'unknown key "{key}"', result.stderr)
        certificate, key = (os.path.join(self.folder, name) for name in ("certificate.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        api = RawApi()
        self.addCleanup(api.close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        api.server.socket = context.wrap_socket(api.server.socket, server_side=True)
        url = api.url.replace("http://127.0.0.1", "https://localhost")
        env = {"SSL_VERIFY": "0", "CURL_INSECURE": "1", "GIT_SSL_NO_VERIFY": "1", "PYTHONHTTPSVERIFY": "0", "NODE_TLS_REJECT_UNAUTHORIZED": "0",
               "REQUESTS_CA_BUNDLE": certificate}   # whom to trust is said by SSL_CERT_FILE or CURL_CA_BUNDLE, as for curl itself
        result = self.outputs(self.replication(("tags",), source=self.gorgias(api_key=KEY, base_url=url)), env=env, expect=3)
        self.assertIn("certificate", result.stderr)
        self.assertEqual([], api.log)


class Password(Secrets):
    """The warehouse's, in every form of a URL, right and wrong."""

    def setUp(self):
        super().setUp()
        self.simulator(seed=1, tickets=8)
        self.hide(PASSWORD)
        server = postgres()
        hba = os.path.join(server.place, "data", "pg_hba.conf")
        with open(hba) as file:
            text = file.read()
        if "locked" not in text:
            self.database.do("create role locked login superuser password '%s'" % PASSWORD.replace("'", "''"))
            with open(hba, "w") as file:
                file.write("local all locked scram-sha-256\n" + text)
            self.database.do("select pg_reload_conf()")

    def target(self, password, **more):
        return {"type": "postgres", "host": self.database.server.place, "user": "locked", "password": password, "database": self.database.name, **more}

    def url(self, password):
        return f"postgresql://locked:{password}@/{self.database.name}?host={quote(self.database.server.place, safe='')}"

    def test_right(self):
        in_query = f"postgresql:///{self.database.name}?host={self.database.server.place}&user=locked&password={quote(PASSWORD, safe='')}"
        for name, target in (("a mapping", self.target(PASSWORD)), ("a URL", self.url(quote(PASSWORD, safe=""))), ("a query", in_query)):
            with self.subTest(name):
                self.outputs(self.replication(("tags",), target=target))
        self.outputs(self.replication(("tags",), target=self.target("${THE_PASSWORD}")), env={"THE_PASSWORD": PASSWORD})
        target = self.target("x")
        del target["password"]
        self.outputs(self.replication(("tags",), target=target), env={"PGPASSWORD": PASSWORD})
        self.assert_equals_source("tags")

    def test_wrong(self):
        wrong = PASSWORD[::-1]
        self.hide(wrong)
        for name, target, code in (
                ("a mapping", self.target(wrong), 4), ("a URL", self.url(quote(wrong, safe="")), 4),
                ("nobody there", self.target(wrong, host="127.0.0.1", port="1"), 4), ("no such host", self.target(wrong, host="nowhere.invalid"), 4),
                ("no such database", self.target(PASSWORD, database="nowhere"), 4), ("a bad port", self.target(wrong, port="99999"), 2),
                ("a bad option", self.target(wrong, sslmode="sometimes"), 2), ("no number", self.target(wrong, connect_timeout="soon"), 2),
                ("a bad option of a URL", self.url(quote(wrong, safe="")) + "&sslmode=sometimes", 2), ("a bad escape", self.url("pa%zz-secret-word"), 2),
                ("an @ too many", self.url("zz-secret@word"), 2), ("a bad parameter", self.url("zz-secret-word") + "&bogus=1", 2),
                ("another database", self.url("zz-secret-word").replace("postgresql", "mysql"), 2), ("a zero byte", self.url("zz-secret-word%00"), 2)):
            self.hidden |= {"secret-word", "zz-secret"}
            with self.subTest(name):
                self.outputs(self.replication(("tags",), target=target), expect=code)

    def test_errors_of_postgresql(self):
        target = self.url(quote(PASSWORD, safe=""))
        streams = {"tags": {"target_options": {"pre_sql": "select 1 / 0"}}, "users": {"target_options": {"post_sql": "select nothing from nowhere"}}}
        self.outputs(self.replication(streams, target=target), expect=1)


class Tokens(Secrets):
    def setUp(self):
        super().setUp()
        self.simulator(seed=1, tickets=8, client_secret=CLIENT_SECRET, refresh_token=REFRESH)
        self.hide(CLIENT_SECRET, "sim-client")
        self.hide(REFRESH)

    def source(self, **more):
        return {"type": "gorgias", "subdomain": "demo", "base_url": self.sim.url, "anchor_date": "2001-01-01", "rate": {"requests": 100000, "per": "1s"}, **more}

    def test_an_access_token(self):
        token = self.sim.token()
        self.hide(token)
        self.outputs(self.replication(("tags",), source=self.source(access_token=token)))
        self.outputs(self.replication(("tags",), source=self.source(access_token=token[::-1])), expect=3)

    def test_a_refresh_token_in_a_file(self):
        """Written back whole, for its owner only, whatever its mode was; others may read it no more."""
        path = self.write("refresh", REFRESH, mode=0o666)
        file = self.replication(("tags",), source=self.source(client_id="sim-client", client_secret=CLIENT_SECRET, refresh_token_file=path))
        before = open(path)   # held, so that no later file can have its number
        self.addCleanup(before.close)
        result = self.outputs(file)
        self.assertEqual(1, result.stderr.count(f"{path} holds secrets and can be read by others"))
        with open(path) as kept:
            rotated = kept.read()
        self.assertNotEqual(REFRESH, rotated)
        self.hide(rotated)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        self.assertNotEqual(os.fstat(before.fileno()).st_ino, os.stat(path).st_ino)   # another file under its name: never half a token
        self.assertEqual(["refresh"], [name for name in os.listdir(self.folder) if name.startswith("refresh")])
        self.search(first=result.stdout + result.stderr)
        self.sim.set(client_secret="another")
        self.outputs(file, expect=3)


class Names(Case):
    """object, select, table_keys and SLING_STATE are names, never SQL: each odd one is a table, a schema or a column of exactly that name,
    or is refused."""

    ODD = ('a"b', "a'b", "a;b", "a\\b", "a b", "A", "select", "table", 'x"; drop schema canary cascade; --', "a.b", "$1", "%s", "\u00e4\u20ac\U0001F600", "\u00e4" * 31,
           "{}", "a\tb", "-- a", "/* a", "E'a'")

    def setUp(self):
        super().setUp()
        self.simulator(seed=2, tickets=6)
        self.database.do("create schema canary; create table canary.bird (id int)")

    def quoted(self, name):
        return '"' + name.replace('"', '""') + '"'

    def run_it(self, streams, expect=0, **more):
        result = self.run_replication(self.replication(streams, **more), expect=expect)
        self.assertEqual(1, self.database.value("select count(*) from pg_class where relname = 'bird'"))
        return result

    def test_schemas_and_tables(self):
        """As many streams as there are: each into a schema and a table of an odd name, twice."""
        rest = list(self.ODD)
        while rest:
            names, rest = rest[:len(STREAMS)], rest[len(STREAMS):]
            objects = {stream: f"{self.quoted(name)}.{self.quoted(name)}" for stream, name in zip(STREAMS, names)}
            for _ in range(2):
                self.run_it({stream: {"object": object} for stream, object in objects.items()})
            for (stream, object), name in zip(objects.items(), names):
                with self.subTest(name=name):
                    self.assertEqual(len(self.sim.truth(stream)), self.database.value(f"select count(*) from {object}"))
                    text = f"convert_from('\\x{name.encode().hex()}', 'utf8')"
                    self.assertEqual(1, self.database.value("select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace"
                                                            f" where nspname = {text} and relname = {text} and relkind = 'r'"))

    def test_state(self):
        for name in (self.ODD[0], self.ODD[3], self.ODD[8], self.ODD[-7]):
            with self.subTest(name=name):
                self.run_it(("tags",), env={"SLING_STATE": f"WAREHOUSE/{self.quoted(name)}"})
                self.assertEqual("succeeded", self.database.value(f"select status from {self.quoted(name)}.stream_runs"))

    def test_columns(self):
        """A name is taken as it is, or refused; what is taken can be run."""
        taken = []
        for name in self.ODD:
            with self.subTest(name=name):
                result = self.command("validate", self.replication({"tags": {"select": ["*", f"name as {name}"], "object": "odd.t"}}))
                self.assertIn(result.code, (0, 2), str(result))
                taken += [name] if result.code == 0 else []
        self.assertIn("select", taken)
        named = ("tags", "teams", "macros", "rules", "views", "users", "integrations", "customers")
        for i in range(0, len(taken), len(named)):
            names = dict(zip(named, taken[i:i + len(named)]))
            self.run_it({stream: {"select": ["*", f"name as {name}"], "object": "odd.{stream_name}_%d" % i} for stream, name in names.items()})
            for stream, name in names.items():
                with self.subTest(name=name):
                    self.assertEqual(len(self.sim.truth(stream)), self.database.value(f"select count({self.quoted(name.strip())}) from odd.{stream}_{i}"))

    def test_indexes(self):
        self.run_it({"tags": {"object": '"odd ""x"."t;"', "target_options": {"table_keys": {"index": [["name", "usage"]], "unique": [["name", "id"]]}}}})
        self.assertEqual(3, self.database.value("select count(*) from pg_indexes where tablename = 't;'"))

    def test_what_is_refused(self):
        bad = ("", "a.b.c", '"a', 'a"b', "a b", "a;b", "1a", "x" * 64, '"' + "\u00e4" * 32 + '"', '""', "a-b", '"a\x00b"')
        for object in bad:
            with self.subTest(object=object):
                result = self.command("run", self.replication(("tags",), defaults={"object": object}))
                self.assertEqual(2, result.code, str(result))
        for object in ("pg_catalog.tags", "information_schema.tags", "pg_toast.tags"):
            with self.subTest(object=object):
                result = self.command("run", self.replication(("tags",), defaults={"object": object}))
                self.assertIn(result.code, (1, 2, 4), str(result))
                self.assertIn(object.split(".")[0], result.stderr)
        self.assertEqual(0, self.database.value("select count(*) from pg_class where relname = 'tags'"))


if __name__ == "__main__":
    unittest.main()
