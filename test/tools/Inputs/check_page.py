# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: check_page.py FILE FUNCTION B measured|predicted: the page of `nacre explain --html` is well-formed, whole, and says this."""
import html.parser
import json
import sys

VOID = {"meta", "br", "link", "img", "input"}


class Page(html.parser.HTMLParser):
    """Elements that are closed in order; the text of the data; addresses that would be fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.data, self.fetched = [], "", []

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1] == ("script", "data"):
            self.data += data


path, name, size, times = sys.argv[1:]
page = Page()
with open(path, encoding="utf-8") as file:
    page.feed(file.read())
assert not page.open and not page.fetched, (page.open, page.fetched)
data = json.loads(page.data)
assert data["dims"]["B"] == int(size) and data["shown"] == name, (data["dims"], data["shown"])
assert data["machine"]["operations_per_second"] > 0 and data["machine"]["bytes_per_second"] > 0
function = next(one for one in data["functions"] if one["name"] == name)
for launch in function["launches"]:
    assert ("seconds" in launch) == (times == "measured"), launch
    assert launch["operators"] and launch["writes"] and launch["bytes"] > 0, launch
    assert all(memory < len(function["buffers"]) for memory in launch["reads"] + launch["writes"] if isinstance(memory, int))
for buffer in function["buffers"]:
    assert 0 <= buffer["offset"] and buffer["offset"] + buffer["size"] <= function["arena_bytes"], buffer
