"""A check of HTML: well formed, and without anything that is loaded or run."""

from html.parser import HTMLParser


class Balance(HTMLParser):
    """Checks that every tag is closed and that nothing is loaded or run."""

    def __init__(self, html):
        super().__init__()
        self.open = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img", "style")
        if tag not in ("br", "line", "polyline", "polygon"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
