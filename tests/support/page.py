"""Opens an HTML page in headless Chromium and reads what its scripts made of it."""

import html.parser
import json
import pathlib
import shutil
import subprocess
import tempfile

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Element:
    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.children = tag, dict(attributes), []

    def __getitem__(self, name):
        return self.attributes[name]

    def elements(self):
        """All below this one, in the order of the page."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.elements()

    def all(self, tag=None, **attributes):
        """Those with the tag and attributes; an underscore in a name stands for a hyphen."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [one for one in self.elements() if tag in (None, one.tag) and
                all(one.attributes.get(name) == value for name, value in wanted.items())]

    def one(self, tag=None, **attributes):
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag or ''} {attributes}"
        return found[0]

    @property
    def text(self):
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Tree(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        made = Element(tag, {name: value or "" for name, value in attributes})
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag):
        while len(self.open) > 1 and self.open.pop().tag != tag:
            pass

    def handle_data(self, data):
        self.open[-1].children.append(data)


class Page:
    def __init__(self, markup):
        self.root = Tree(markup).root
        self.html = self.root.one("html")

    def id(self, name):
        return self.root.one(id=name)

    def points(self, chart):
        """How many points of each dataset the chart drew inside its axes."""
        return json.loads(self.id(chart)["data-points"])

    def rows(self, table):
        """Each row of the table's body, its cells by their field."""
        body = self.id(table).one("tbody")
        return [{cell["data-field"]: cell for cell in row.all("td")} for row in body.all("tr")]


def open_page(path, fragment="", *options):
    """Fails, and does not skip, where there is no Chromium: ./bootstrap test installs it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "there is no chromium; to mend it: ./bootstrap test, or apt-get install chromium"
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", "--window-size=1400,3200", "--virtual-time-budget=10000", *options,
             "--dump-dom", pathlib.Path(path).as_uri() + fragment],
            capture_output=True, timeout=120)
    markup = process.stdout.decode()
    assert process.returncode == 0 and markup, process.stderr.decode()
    return Page(markup)
