"""Holds docs/command-line.md against what the tools say of themselves.

    help.py PAGE TOOL...            fails where a tool's --help is not the page's
    help.py --update PAGE TOOL...   writes it into the page

The page has one fenced block for each tool, which starts with `$ TOOL --help`.
"""

import re
import subprocess
import sys
from pathlib import Path


def block(tool: str) -> str:
    """The tool's --help as the page has it."""
    text = subprocess.run([tool, "--help"], capture_output=True, text=True, check=True).stdout
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return f"```\n$ {tool} --help\n" + "\n".join(lines) + "\n```"


def main() -> int:
    arguments = sys.argv[1:]
    update = arguments[0] == "--update"
    page, *tools = arguments[1:] if update else arguments
    path = Path(page)
    text = path.read_text()
    stale = []
    for tool in tools:
        found = re.search(rf"```\n\$ {tool} --help\n.*?\n```", text, re.S)
        if not found:
            sys.exit(f"{page} has no block for {tool}")
        now = block(tool)
        if found.group() != now:
            stale.append(tool)
            text = text.replace(found.group(), now)
    if update:
        path.write_text(text)
    elif stale:
        sys.exit(f"{page} is not what {', '.join(stale)} --help says; see test/docs/help.py --update")
    return 0


if __name__ == "__main__":
    sys.exit(main())
