"""Settings of the documentation site: `sphinx-build -W docs docs/_build`."""

import sys
from pathlib import Path

import deep_mnist
from deep_mnist import load_data
from deep_mnist.errors import DatasetError

sys.path.insert(0, str(Path(__file__).parent))  # parsers.py, notebooks.py

project = "deep_mnist"
author = "the deep_mnist contributors"
version = release = deep_mnist.__version__

extensions = [
    "myst_nb",
    "notebooks",  # the code that the tutorials include, as cells
    "sphinx_argparse_cli",
    "sphinx_copybutton",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build", ".jupyter_cache", "jupyter_execute"]  # the last two are MyST-NB's

# Pages.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
try:
    load_data()
except DatasetError:  # not on disk, and not to be downloaded
    nb_execution_excludepatterns = ["tutorials/tf1-book*"]  # its scripts load MNIST
nb_execution_in_temp = True  # where the tutorials save their runs
nb_execution_timeout = 300
nb_merge_streams = True  # one block for all that a cell prints

# Docstrings.
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
default_role = "py:obj"  # `name` in docstrings is code, and a link where it is documented
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Look. The theme brings its fonts and scripts: nothing is fetched from elsewhere.
html_theme = "pydata_sphinx_theme"
html_title = "deep_mnist"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"porting": []}  # the only page of its section
html_copy_source = False
html_theme_options = {
    "header_links_before_dropdown": 5,  # all sections
    # axe-core: the field's name has its shortcut, Ctrl+K, and its label has not.
    "navbar_persistent": ["search-button"],
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
