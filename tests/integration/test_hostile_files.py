"""Files that are no replication files, or too much of one: exit 2 with the place, quickly, in little memory, and nothing asked of anybody."""

import json
import os
import resource
import subprocess
import unittest

from harness import BINARY, Case

MEMORY = 256 << 20   # of address space; a sanitizer's shadow memory needs terabytes, so it goes without the limit
SECONDS = 60
GOOD = "source: GORGIAS\ntarget: WAREHOUSE\ndefaults:\n  object: g.{stream_name}\nstreams: { tags: }\n"


def bomb(levels=12, width=9):
    return "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]\n" for i in range(1, levels))


FILES = {   # name -> (content, where the error is; None: the file has no place for it)
    "empty": (b"", None), "only comments": (b"# a\n# b\n", None), "only white space": (b" \n\n \n", None), "null": (b"~\n", "1:1"), "a text": (b"hello\n", "1:1"),
    "binary": (bytes(range(256)) * 20, "1:1"), "zero bytes": (b"\0" * 1000, "1:1"), "an executable": (b"\x7fELF\x02\x01\x01" + b"\0" * 100, "1:1"),
    "UTF-16": (GOOD.encode("utf-16"), "1:1"), "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "1:2"), "UTF-32": (GOOD.encode("utf-32"), "1:1"),
    "Latin-1": ("source: caf\u00e9\n".encode("latin-1"), "1:12"), "a control character": (b"source: \x1b[31m\n", "1:9"),
    "cut in a character": (b"source: \xe2\x82", None), "a surrogate": (b"source: \xed\xa0\x80\n", "1:9"),
    "tabs": (b"source:\n\t- a\n", "2:1"), "unclosed": (b"source: [a\n", "2:1"), "an open quote": (b'source: "a\n', "2:1"),
    "a duplicate key": (b"source: A\nsource: B\n", "2:1"), "a duplicate deep down": (b"streams:\n  tags:\n    mode: a\n    mode: b\n", "4:5"),
    "a duplicate by merge": (b"a: &a {<<: {b: 1}, b: 2}\nb: 1\nb: 2\n", "3:1"), "two documents": (b"a: 1\n---\nb: 2\n", "2:1"),
    "a loop": (b"a: &a [*a]\n", "1:8"), "a loop of merges": (b"a: &a\n  <<: *a\n", "2:7"), "a loop of two": (b"a: &a\n  b: &b\n    c: *a\n", "3:8"),
    "an unknown alias": (b"a: *b\n", "1:4"), "a tag": (b"a: !!python/object/apply:os.system ['id']\n", "1:4"), "a list for a key": (b"[a]: b\n", "1:1"),
    "a bomb": (bomb().encode(), "6:40"), "a bomb of keys": (("a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{b: *a{i - 1}, c: *a{i - 1}, d: *a{i - 1}}}\n" for i in range(1, 30))).encode(), None),
    "a bomb of merges": (("a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 30))).encode(), None),
    "a bomb of texts": (("a: &a '" + "x" * 100_000 + "'\nb: [" + ", ".join(["*a"] * 1000) + "]\n").encode(), "2:"),
    "deep lists": (b"[" * 10_000, "1:65"), "deep mappings": (b"{a: " * 10_000, "1:257"), "deep blocks": ("".join(" " * i + "a:\n" for i in range(1000)).encode(), "65:"),
    "deep dashes": (b"- " * 10_000, "1:129"), "a million items": (b"[" + b"x," * 400_000 + b"]", "1:"), "a hundred thousand keys": ("".join(f"k{i}: v\n" for i in range(60_000)).encode(), "50000:9"),
    "a huge key": (b"k" * 500_000 + b": 1\n", None), "a huge value": (b"source: '" + b"x" * 900_000 + b"'\ntarget: A\nstreams: {tags: }\n", "1:9"),
    "many anchors": (("".join(f"- &a{i} x\n" for i in range(70_000))).encode(), None), "two megabytes": (b"# " + b"x" * 2_000_000, None),
}


class HostileFiles(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=1, tickets=2)
        with open(BINARY, "rb") as binary:
            self.limit = resource.RLIM_INFINITY if b"__asan_init" in binary.read() else MEMORY

    def refused(self, *arguments, env=None, says=()):
        """Exit 2 with one line of an error, within the limits, and before anything was asked."""
        def limits():
            resource.setrlimit(resource.RLIMIT_AS, (self.limit, self.limit))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

        done = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, env=self.environment(env), cwd=self.folder,
                              preexec_fn=limits, timeout=SECONDS * 4)
        stderr = done.stderr.decode("utf-8", "replace")
        self.assertEqual(2, done.returncode, stderr[:3000])
        self.assertEqual(b"", done.stdout)
        self.assertEqual(1, len([line for line in stderr.splitlines() if line.startswith("gorgias-replicate: ")]), stderr[:3000])
        self.assertLess(len(stderr), 4000)
        self.assertNotIn("\x1b", stderr)
        for word in says:
            self.assertIn(word, stderr)
        return stderr

    def test_as_the_file(self):
        for i, (name, (content, place)) in enumerate(FILES.items()):
            with self.subTest(name):
                path = os.path.join(self.folder, "bad.yaml")
                with open(path, "wb") as file:
                    file.write(content)
                self.refused(("run", "validate", "check")[i % 3], path, says=[f"bad.yaml:{place}" if place else "bad.yaml"])
        self.assertEqual([], self.sim.log())
        self.assertEqual(0, self.database.value("select count(*) from pg_namespace where nspname in ('g', '_gorgias_replicate')"))

    def test_as_env_yaml(self):
        """What is there is read only where a connection is not found before; then it is as good as the file."""
        os.mkdir(os.path.join(self.folder, ".sling"))
        file = self.write("good.yaml", GOOD)
        for name in ("binary", "a bomb", "deep lists", "a duplicate key", "a loop of merges", "two megabytes", "UTF-16", "an open quote"):
            with self.subTest(name):
                with open(os.path.join(self.folder, ".sling", "env.yaml"), "wb") as hostile:
                    hostile.write(FILES[name][0])
                self.refused("validate", file, says=["env.yaml"])
        done = self.command("validate", file, env={"GORGIAS": json.dumps(self.gorgias()), "WAREHOUSE": self.database.url()})
        self.assertEqual(0, done.code, str(done))

    def test_as_a_connection(self):
        file = self.write("good.yaml", GOOD)
        for name in ("binary", "a bomb", "deep lists", "a loop", "a tag", "an open quote", "a text", "Latin-1"):
            value = FILES[name][0].replace(b"\0", b"")[:100_000]   # a variable ends at a zero byte
            with self.subTest(name):
                self.refused("validate", file, env={"GORGIAS": os.fsdecode(value)}, says=["GORGIAS"])

    def test_as_schemas(self):
        folder = os.path.join(self.folder, "schemas")
        os.mkdir(folder)
        for name in ("binary", "a bomb", "deep lists", "a duplicate key", "empty", "a text"):
            with self.subTest(name):
                with open(os.path.join(folder, "tags.yaml"), "wb") as hostile:
                    hostile.write(FILES[name][0])
                self.refused("validate", self.write("good.yaml", GOOD), "--schemas", folder, says=["tags.yaml"])

    def test_what_is_no_file(self):
        fifo = os.path.join(self.folder, "fifo")
        os.mkfifo(fifo)
        os.symlink("loop", os.path.join(self.folder, "loop"))
        unreadable = self.write("unreadable", GOOD, mode=0)
        for path, says in ((self.folder, "directory"), (fifo, "empty"), ("/dev/zero", "larger than"), ("/dev/null", "empty"), ("nowhere", "No such file"),
                           ("loop", "symbolic links"), (fifo + "/x", "Not a directory"), ("", "FILE"), ("x" * 300, "too long"), ("a\nb", "a b")):
            with self.subTest(path=path[:40]):
                self.refused("validate", path, says=[says] if path else [])
        if os.getuid() != 0:
            self.refused("validate", unreadable, says=["Permission denied"])

    def test_a_hundred_megabytes(self):
        path = os.path.join(self.folder, "large.yaml")
        with open(path, "wb") as file:
            file.truncate(100_000_000)   # a hole; it is not read to its end
        self.refused("run", path, says=["larger than"])

    def test_a_pipe_is_a_file(self):
        """A shell's <(...), which may take its time."""
        done = subprocess.run(["bash", "-c", 'exec "$0" validate <(sleep 0.3; cat "$1")', BINARY, self.replication(("tags",))], capture_output=True,
                              env=self.environment(), cwd=self.folder, timeout=SECONDS)
        self.assertEqual(0, done.returncode, done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
