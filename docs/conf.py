"""How Sphinx builds these pages: `make docs`, from the checkout's root, warnings being errors.

The root is the source so that notebooks and the documents beside them are pages as they are, and
links between them work here and in the repository alike.
"""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).parent))
from errors_raised import errors_page

import qdreamer_lab

project = "qdreamer-lab"
author = "The qdreamer-lab developers"
release = qdreamer_lab.__version__
root_doc = "docs/index"
html_title = f"qdreamer-lab {release}"
html_theme = "furo"
html_show_sphinx = False
html_math_renderer = "mathml"  # browsers draw it by themselves: pages are whole without a network

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb"]
include_patterns = [
    "docs/*.md",
    "notebooks/*.md",
    "notebooks/*.ipynb",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".*", ".*/**", "artifacts", "tests", "benchmarks", "binder"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = (
    "off"  # notebooks are run by tests, and shown with the outputs they were saved with
)
suppress_warnings = [
    "mystnb.unknown_mime_type",  # widgets, which have a picture beside them
    "misc.highlighting_failure",  # cells with magics are no Python
]

default_role = "code"  # docstrings have `code` in single backticks
autodoc_typehints = "none"  # signatures are long enough; docstrings say shapes and units
autodoc_member_order = "bysource"
napoleon_use_ivar = True


class ErrorsDirective(SphinxDirective):
    """`{errors}`: all errors of the two packages, from their classes and from what is raised."""

    def run(self) -> list[Any]:
        """The page as nodes."""
        return list(self.parse_text_to_nodes(errors_page(), allow_section_headings=True))


_SYNONYMS = {
    r"\\dots": r"\\ldots",
    r"\\(big|Big)(?=[\[(])": r"\\\1l",
    r"\\(big|Big)(?=[\])])": r"\\\1r",
}
"""Commands that docutils does not know, and what it calls them."""


def _mathml(node: Any, **how: bool) -> str:
    text = node.astext()
    for unknown, known in _SYNONYMS.items():
        text = re.sub(unknown, known, text)
    return str(tex2mathml(text, **how))


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(_mathml(node))
    raise nodes.SkipNode


def _block(translator: Any, node: Any) -> None:
    translator.body.append(f'<div class="math">{_mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Add formulas, the directive, and a first page that leads to the front page."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.add_directive("errors", ErrorsDirective)
    app.connect("build-finished", _lead_to_front_page)


def _lead_to_front_page(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        target = "docs/index.html"
        page = f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">Pages</a>'
        (Path(app.outdir) / "index.html").write_text(page)
