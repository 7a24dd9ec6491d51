"""Settings of the documentation site: `sphinx-build -W docs docs/_build`."""

import deep_mnist

project = "deep_mnist"
author = "the deep_mnist contributors"
version = release = deep_mnist.__version__

extensions = [
    "myst_nb",
    "sphinx_copybutton",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]

# Pages.
myst_enable_extensions = ["colon_fence", "dollarmath", "html_image"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120

# Docstrings.
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Look: everything is served from the site itself, nothing is fetched from elsewhere.
html_theme = "furo"
html_title = "deep_mnist"
html_show_copyright = False
