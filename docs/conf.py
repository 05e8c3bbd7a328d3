"""Sphinx: `python3 dev.py docs` builds these pages; a warning, such as a page missing in index.md, is an error."""

import tomllib
from pathlib import Path

project = "Giga CRM"
release = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]["version"]
copyright = "the Giga CRM authors"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"Giga CRM {release}"
exclude_patterns = ["pictures"]
nitpicky = True
