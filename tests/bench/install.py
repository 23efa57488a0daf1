"""Fetches what pip and npm have of the peers into build/bench; each try is bounded, and one that fails leaves the others alone."""

import os
import shutil
import subprocess
import sys

from stage import ROOT

MOST_S = 300
FOLDER = os.path.join(ROOT, "build", "bench")
PIP = {"venv-hand": ["psycopg2-binary"], "venv-dlt": ["dlt[postgres]"], "venv-singer": ["meltanolabs-target-postgres"],
       # The program itself; the package `sling` would fetch it from elsewhere.
       "venv-sling": ["sling-linux-amd64==1.4.11"]}
NPM = ["pg", "pg-copy-streams"]


def attempt(what, *commands):
    print(f"bench: fetching {what}", file=sys.stderr, flush=True)
    for command in commands:
        try:
            done = subprocess.run(command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=MOST_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"bench: not installed: {what}: {error}", file=sys.stderr)
            return False
        if done.returncode:
            print(f"bench: not installed: {what}: {done.stdout.strip()[-400:]}", file=sys.stderr)
            return False
    return True


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for folder, packages in PIP.items():
        path = os.path.join(FOLDER, folder)
        if os.path.exists(os.path.join(path, "fetched")):
            continue
        if attempt(" ".join(packages), [sys.executable, "-m", "venv", folder], [f"{folder}/bin/pip", "install", "-q", *packages]):
            open(os.path.join(path, "fetched"), "w").close()
        else:   # half of a peer is none
            shutil.rmtree(path, ignore_errors=True)
    if not os.path.exists(os.path.join(FOLDER, "node", "node_modules", "pg-copy-streams")):
        attempt(" ".join(NPM), ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", "node", *NPM])
