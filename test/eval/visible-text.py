"""Prints, for each path on standard input, a JSON line with the text that a person came for.

Independent of the project's own reader: Python's html.parser, without what stands around the content of every page.
"""
import json
import sys
from html.parser import HTMLParser

SKIPPED = {
    'script', 'style', 'noscript', 'template', 'head', 'title', 'svg', 'canvas', 'iframe', 'object', 'audio', 'video',
    'nav', 'header', 'footer', 'aside', 'select', 'textarea',
}
ROLES = {'navigation', 'banner', 'contentinfo', 'complementary', 'search'}
VOID = {
    'area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'track', 'wbr',
}
INLINE = {
    'a', 'abbr', 'b', 'cite', 'code', 'em', 'font', 'i', 'kbd', 'q', 's', 'samp', 'small', 'span', 'strong', 'sub',
    'sup', 'tt', 'u', 'var', 'wbr',
}


class VisibleText(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in INLINE:
            self.parts.append(' ')
        if tag in VOID:
            return
        attributes = dict(attrs)
        skipped = tag in SKIPPED or (attributes.get('role') or '') in ROLES or 'hidden' in attributes
        self.open.append((tag, skipped))

    def handle_endtag(self, tag):
        if tag not in INLINE:
            self.parts.append(' ')
        for at in range(len(self.open) - 1, -1, -1):
            if self.open[at][0] == tag:
                del self.open[at:]
                break

    def handle_data(self, data):
        if not any(skipped for _, skipped in self.open):
            self.parts.append(data)


for line in sys.stdin:
    with open(line.strip(), encoding='utf8', errors='replace') as file:
        parser = VisibleText()
        parser.feed(file.read())
        parser.close()
    print(json.dumps(''.join(parser.parts)))
