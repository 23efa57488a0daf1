"""What the program prints of itself is in the repository as it prints it now. GR_BINARY names the program; --write writes the files."""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "commands": "docs/commands.md",
    "replication-file": "docs/replication-file.md",
    "schema-file": "docs/schema-file.md",
    "from-sling": "docs/from-sling.md",
    "phases": "docs/phases.md",
    "exit-codes": "docs/scheduling.md",
    "man": "packaging/man/gorgias-replicate.1",
    "bash": "packaging/completions/gorgias-replicate.bash",
    "zsh": "packaging/completions/_gorgias-replicate",
    "fish": "packaging/completions/gorgias-replicate.fish",
}


def printed(page):
    return subprocess.run([os.environ["GR_BINARY"], "reference", page], check=True, capture_output=True, text=True, timeout=60).stdout


def fresh(page, old):
    """The file as it should be: all of it is printed, or what stands between two marks that name the page."""
    mark = f"<!-- printed by `gorgias-replicate reference {page}` -->\n"
    end = "<!-- end of what is printed -->\n"
    if mark not in old:
        return printed(page)
    return re.sub(f"(?s)(?<={re.escape(mark)}).*?(?={re.escape(end)})", lambda _: printed(page), old)


def main():
    stale = []
    for page, name in PAGES.items():
        path = ROOT / name
        old = path.read_text() if path.exists() else ""
        new = fresh(page, old)
        if "--write" in sys.argv:
            path.write_text(new)
        elif old != new:
            stale.append(name)
    if stale:
        sys.exit(f"docs_fresh: stale: {', '.join(stale)}; run GR_BINARY=build/dev/gorgias-replicate python3 tests/lint/docs_fresh.py --write")
    print("docs_fresh: fine")


main()
