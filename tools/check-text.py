#!/usr/bin/env python3
"""Refuses texts that are hard to read: sentences without a subject, private idioms, lines that are too wide.

  tools/check-text.py            checks every file that git knows; prints a line for each finding, exit code 1 if there is one
  tools/check-text.py PATH...    checks only files whose path begins with one of these

The rules cover comments, documentation and the sentences in strings. CONTRIBUTING.md describes the language.
"""
import re
import subprocess
import sys
from pathlib import Path

# Test data, such as a request or an answer, may stand on one line even if it is long.
DATA = re.compile(r'"(?:[^"\\]|\\.){70,}"|"""|`[^`]{70,}`|\$?\$\$"')

CODE = (".cs", ".ts", ".js", ".mjs", ".lua")
WIDTH = 140

# Applies to all text. \s+ matches line ends, too, because comment markers are removed first.
IDIOMS = (
    (r"\b(?:is|are|was|were)\s+none\b", "say what it is, not that it 'is none'"),
    (r"(?<!\bthere)(?<!\bThere)\s+(?:is|was)\s+no\s+(?!longer\b|more\b|other\b|such\b|later\b|less\b|matter\b)[a-z]+", "write 'is not a …' or 'there is no …'"),
    (r"\banew\b", "write 'again'"),
    (r"\blooks?\s+on\b", "write 'watches'"),
    (r"\b(?:is|are|was|were|be)\s+told\s+(?:by|of|that|so|why|when|about)\b", "write 'is notified', 'gets' or 'receives'"),
    (r"\bbesides?\b", "write 'in addition to', 'next to' or 'separately'"),
    (r"\bwhoever\b", "name the subject"),
    (r"\bone\s+that\s+is\s+no\b", "name the subject"),
    (r"\bmay\s+not\s+hold\b", "write 'must not contain'"),
    (r"\bserves?\s+on\b", "write 'continues to serve'"),
    (r"\bgo(?:es)?\s+on\s+behind\b", "write 'continues after'"),
    (r"\bbehind\s+commas\b", "write 'separated by commas'"),
    (r"\blooks?\s+whether\b", "write 'check that' or 'check whether'"),
    (r"\bexit\s+code\s+\d+\s+where\b", "write 'exit code N if'"),
    (r"\b(?:is|are|was|were)\s+mended\b", "write 'is repaired'"),
    (r"\btold\s+ahead\b", "write 'records in advance' or 'is notified in advance'"),
    (r"\bsay\s+goodbye\b", "name the event or the request"),
)

# Applies to the beginning of a sentence in a comment or a page.
HEADLESS = re.compile(r"(?:^|[.!?:;]\s+|>\s*)((?:Who|What)\b[^.?!]*[.?!]?)", re.MULTILINE)

COMMENT = {
    ".cs": r"^\s*///?\s?", ".ts": r"^\s*(?://+|/\*\*?|\*(?!/))\s?", ".js": r"^\s*(?://+|/\*\*?|\*(?!/))\s?",
    ".mjs": r"^\s*(?://+|/\*\*?|\*(?!/))\s?", ".lua": r"^\s*--+\s?",
}


def listed():
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
    return [name for name in names.splitlines() if name.endswith((*CODE, ".md")) and "/vendor/" not in name and Path(name).is_file()]


def without_code(text):
    """A page with its fenced blocks and inline code blanked, line ends kept."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"`[^`\n]*`", blank, re.sub(r"^```.*?^```", blank, text, flags=re.DOTALL | re.MULTILINE))


def findings(name):
    text = Path(name).read_text(encoding="utf-8-sig")
    suffix = Path(name).suffix
    lines = text.split("\n")
    if suffix == ".md":
        prose = without_code(text)
        comments = prose
    else:
        for number, line in enumerate(lines, 1):
            if len(line.rstrip("\r")) > WIDTH and not (name.startswith("tests/") and DATA.search(line)):
                yield number, f"the line has {len(line)} characters; the limit is {WIDTH}"
            if name.startswith("server/") and "ConfigureAwait(false)" in line:
                yield number, "ConfigureAwait(false) has no effect in the server; remove it"

        marker = re.compile(COMMENT[suffix])
        prose = "\n".join(marker.sub("", line) for line in lines)
        comments = "\n".join(re.sub(r"^<[^>]*>", "", marker.sub("", line)) if marker.match(line) else "" for line in lines)

    for pattern, advice in IDIOMS:
        for match in re.finditer(pattern, prose, re.IGNORECASE):
            yield line_of(prose, match.start() + len(match.group()) - len(match.group().lstrip())), f"'{' '.join(match.group().split())}': {advice}"

    for match in HEADLESS.finditer(comments):
        if not match.group(1).endswith("?"):
            yield line_of(comments, match.start(1)), f"'{' '.join(match.group(1).split()[:4])} …': name the subject"


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def main(arguments):
    names = [name for name in listed() if not arguments or name.startswith(tuple(arguments))]
    count = 0
    for name in names:
        for number, sentence in sorted(findings(name)):
            print(f"{name}:{number}: {sentence}")
            count += 1
    if count:
        print(f"check-text: {count} findings in {len(names)} files", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
