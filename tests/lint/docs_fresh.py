"""The pages of docs/ that the program prints are the ones it prints now. GR_BINARY names the program; --write writes them."""
import os
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ["commands", "replication-file", "schema-file", "from-sling", "phases"]


def printed(page):
    return subprocess.run([os.environ["GR_BINARY"], "reference", page], check=True, capture_output=True, timeout=60).stdout


def main():
    stale = []
    for page in PAGES:
        path = DOCS / f"{page}.md"
        text = printed(page)
        if "--write" in sys.argv:
            path.write_bytes(text)
        elif not path.exists() or path.read_bytes() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"docs_fresh: stale: {', '.join(stale)}; run GR_BINARY=build/dev/gorgias-replicate python3 tests/lint/docs_fresh.py --write")
    print("docs_fresh: fine")


main()
