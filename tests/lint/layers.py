#!/usr/bin/env python3
"""A layer includes only the layers that its gr_layer() line in CMakeLists.txt links, and a library's header only where that library is
wrapped. Includes are what a compiler follows and a reader trusts, so they are checked where the linker would not notice."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# header -> files that may include it
OWNERS = {
    r"yaml\.h": r"src/spec/yaml\w*\.c",
    r"curl/.*": r"src/source/http\.c",
    r"libpq-fe\.h": r"src/sink/\w+\.[ch]",
    r"json-c/.*": r"src/(walk/memory|source/gorgias|source/oauth|cli/doc)\.c",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def links():
    """layer -> the layers that it may include, itself among them."""
    text = (ROOT / "CMakeLists.txt").read_text()
    direct = {name: set(re.findall(r"\bgr_(\w+)", rest)) for name, rest in re.findall(r"^gr_layer\((\w+)\s+LINKS([^)]*)\)", text, re.M)}
    reached = {}
    for name in direct:   # in the file a layer comes after all that it links
        reached[name] = {name}.union(*(reached[other] for other in direct[name]))
    return reached


def files():
    for pattern in ("src/**/*.c", "src/**/*.h", "include/**/*.h"):
        yield from sorted(ROOT.glob(pattern))


def layer_of(path):
    """src/sink/pg.c and include/gr/sink/pg.h belong to sink; src/main.c to the layer on top."""
    parts = path.parts
    if parts[0] == "include":
        return parts[2]
    return parts[1] if len(parts) > 2 else "cli"


def complaints():
    allowed = links()
    for path in files():
        name = path.relative_to(ROOT)
        layer = layer_of(name)
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            bracket, header = match.groups()
            where = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
            ours = re.fullmatch(r"gr/(\w+)/\w+\.h", header)
            if layer not in allowed:
                yield f"{where}: {layer} is no layer of CMakeLists.txt"
                break
            if ours and ours[1] not in allowed[layer]:
                yield f"{where}: {layer} may not include {ours[1]} ({header})"
            for pattern, owner in OWNERS.items():
                if re.fullmatch(pattern, header) and not re.fullmatch(owner, str(name)):
                    yield f"{where}: <{header}> belongs into {owner} only"
            if bracket == '"' and not ours and not (path.parent / header).exists():
                yield f"{where}: {header} is neither gr/LAYER/NAME.h nor beside this file"


if __name__ == "__main__":
    found = list(complaints())
    print("\n".join(found) or "layers: fine")
    sys.exit(bool(found))
