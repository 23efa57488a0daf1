#!/usr/bin/env python3
"""Calls that C offers and this project does without, each with what to use instead."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# (names, where they may stand, what to use)
RULES = (
    ("strcpy strcat strncpy strncat sprintf vsprintf stpcpy", None, "gr_buf or snprintf"),
    ("gets strtok scanf sscanf fscanf vscanf vsscanf atoi atol atoll atof", None, "a parser that reports what it could not read"),
    ("localtime gmtime asctime ctime mktime localtime_r gmtime_r", None, "gr/base/time.h, which knows no zone but UTC"),
    ("alloca", None, "gr/base/alloc.h"),
    ("system popen", None, "nothing: no shell is ever run"),
    ("rand srand", None, "the engine's own generator"),
    ("setjmp longjmp", None, "gr_error"),
    ("malloc calloc realloc strdup strndup", r"src/base/alloc\.c", "gr/base/alloc.h, which never returns NULL"),
    ("clock_gettime time gettimeofday nanosleep sleep usleep", r"src/base/time\.c", "gr/base/time.h"),
    ("exit _exit abort", r"src/main\.c|src/base/alloc\.c", "an error that main turns into the exit code"),
)
# Comments and literals are blanked, newlines are kept.
NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")


def complaints():
    banned = {name: (where, instead) for names, where, instead in RULES for name in names.split()}
    for path in sorted([*ROOT.glob("src/**/*.[ch]"), *ROOT.glob("include/**/*.h")]):
        name = str(path.relative_to(ROOT))
        code = NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), path.read_text())
        for match in CALL.finditer(code):
            where, instead = banned.get(match[1], (name, ""))
            if match[1] in banned and not (where and re.fullmatch(where, name)):
                yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: {match[1]}(): use {instead}"
        for match in re.finditer(r"\bgoto\b", code):
            yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: goto: use GR_CLEANUP or a function"


if __name__ == "__main__":
    found = list(complaints())
    print("\n".join(found) or "banned: fine")
    sys.exit(bool(found))
