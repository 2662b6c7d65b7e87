#!/usr/bin/env python3
"""Prints the test classes that took the longest, with the sum of their tests' times: FOLDER of .trx files."""
import collections
import pathlib
import sys
import xml.etree.ElementTree as xml

TRX = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
SHOWN = 12

seconds = collections.Counter()
for file in pathlib.Path(sys.argv[1]).glob("*.trx"):
    for result in xml.parse(file).iter(TRX + "UnitTestResult"):
        hours, minutes, rest = result.get("duration", "0:0:0").split(":")
        name = result.get("testName").split("(")[0].rsplit(".", 1)[0]
        seconds[name] += int(hours) * 3600 + int(minutes) * 60 + float(rest)
for name, sum_of in seconds.most_common(SHOWN):
    print(f"{sum_of:7.1f} s  {name}")
