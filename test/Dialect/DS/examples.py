"""Writes the examples of the ds dialect's definitions as one file for --split-input-file.

An example is a fenced block or an inline code span after "Example:". A comment in its first line declares the values
that it uses: `// %x: tensor<4xf32>, %n: index`. An op without an example is an error.
"""

import pathlib
import re
import sys

DEFINITION = re.compile(r"^def (DS_\w+(?:Op|Attr)) : DS_\w+<\"(\w+)\"", re.MULTILINE)
EXAMPLE = re.compile(r"Example:(?:\s*```mlir\n(?P<block>.*?)```|\s*`(?P<inline>[^`]+)`)", re.DOTALL)


def wrap(example):
    """The example as a function of the values that it uses, or as a module's attribute."""
    lines = example.strip().splitlines()
    if lines[0].startswith("#"):
        return "module attributes {ds.example = %s} {}" % " ".join(lines)
    arguments = ""
    if lines[0].startswith("// %"):
        arguments = lines.pop(0)[3:]
    return "func.func @example(%s) {\n%s\n  return\n}" % (arguments, "\n".join(lines))


def main():
    folder = pathlib.Path(sys.argv[1])
    examples, missing = [], []
    for file in sorted(folder.glob("*.td")):
        text = file.read_text()
        starts = [m for m in DEFINITION.finditer(text)]
        for match, following in zip(starts, starts[1:] + [None]):
            body = text[match.start() : following.start() if following else len(text)]
            found = [m["block"] or m["inline"] for m in EXAMPLE.finditer(body)]
            if not found and match[1].endswith("Op"):
                missing.append(match)
            examples += ["// %s\n%s\n" % (match[1], wrap(example)) for example in found]
    # Ops that end regions stand in the examples of others.
    missing = [m[1] for m in missing if not any(f"ds.{m[2]} " in example for example in examples)]
    if missing or not examples:
        sys.exit("no example of: " + ", ".join(missing))
    print("\n// -----\n\n".join(examples))


if __name__ == "__main__":
    main()
