"""The documentation site: `sphinx-build -W -b html docs build/site`."""

from __future__ import annotations

import gc
import logging
import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

gc.set_threshold(50_000, 20, 1_000_000)  # what is imported and parsed is kept, so that it is no garbage
logging.disable(logging.DEBUG)  # 27,000 lines that nobody is shown

project = "normlaw"
author = "The normlaw contributors"
version = release = installed("normlaw")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "command_reference",
    "api_pages",
    "component_reference",
    "mathml",
    "plain_docstrings",
    "plain_formulas",
    "quick_references",
    "quick_sources",
    "repository_links",
    "short_navigation",
    "study_reference",
]
nb_execution_mode = "off"  # a test runs the notebook; the site shows what is stored in it
exclude_patterns = ["_ext", "_static"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3  # page.md#section, as code hosts number them

smartquotes = False  # messages and options stand as the program prints them
default_role = "literal"  # docstrings write `name` as Markdown does
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_use_type_comments = False  # there are none, and looking for them parses each function once more
autodoc_default_options = {"exclude-members": "model_config"}  # pydantic's own
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"normlaw {version.partition('+')[0]}"  # with the commit it is wider than a phone
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
