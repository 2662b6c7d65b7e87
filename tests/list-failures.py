"""Lists what failed in a runner's results (.trx or .tap), with the reason, so that the end of a long log says what to look at."""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

TRX = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
LONGEST_REASON = 3000


def of_trx(file):
    for result in ElementTree.parse(file).iter(TRX + "UnitTestResult"):
        if result.get("outcome") != "Failed":
            continue
        reason = [element.text or "" for element in (result.find(f".//{TRX}Message"), result.find(f".//{TRX}StackTrace")) if element is not None]
        yield result.get("testName"), "\n".join(reason)


def of_tap(file):
    lines = file.read_text(errors="replace").splitlines()
    for number, line in enumerate(lines):
        failed = re.match(r"\s*not ok \d+ - (.*)", line)
        if failed:
            yield failed.group(1), "\n".join(lines[number + 1:number + 30])


for name in sys.argv[1:]:
    file = pathlib.Path(name)
    if not file.exists():
        continue
    for test, reason in (of_trx if file.suffix == ".trx" else of_tap)(file):
        print(f"FAILED {test}")
        print("\n".join("    " + line for line in reason[:LONGEST_REASON].splitlines()))
