"""Writes the results of policy tests as JUnit XML, which build servers show.

The rule it keeps: the file is well-formed whatever a test is called.
"""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tillgate.guards.policy_test.run import Result

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(suites: Sequence[tuple[str, Sequence[Result]]]) -> bytes:
    """One document of these suites, by the names of their files."""
    root = Element("testsuites", _counts([result for _, results in suites for result in results]))
    for source, results in suites:
        suite = SubElement(root, "testsuite", {"name": _text(source), **_counts(results)})
        for result in results:
            _case(suite, source, result)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _case(suite: Element, source: str, result: Result) -> None:
    case = result.case
    about = {"name": case.name, "classname": case.tool, "file": source, "line": str(case.line)}
    element = SubElement(suite, "testcase", {name: _text(value) for name, value in about.items()})
    if result.ok:
        return
    failure = SubElement(element, "failure", {"type": "expectation", "message": _text("; ".join(result.failures))})
    failure.text = _text("\n".join([case.place, *result.failures, f"rules: {', '.join(result.fired) or 'none'}"]))


def _counts(results: Sequence[Result]) -> dict[str, str]:
    failures = sum(not result.ok for result in results)
    return {"tests": str(len(results)), "failures": str(failures), "errors": "0"}


def _text(value: str) -> str:
    """The text with what XML cannot hold written out as Python would."""
    return _NOT_XML.sub(lambda found: found.group().encode("unicode_escape").decode(), value)
