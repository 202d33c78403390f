"""What mypy need not read to check a plugin of a test's own.

torch's own annotations take it half a minute, those that pandas and pytest lead to ten seconds. With torch's,
the built-in plugins are checked, with the rest of the program.
"""

UNREAD = (
    *("torch.*", "IPython.*", "PIL.*", "jinja2.*", "matplotlib.*", "pygments.*", "rich.*", "sqlalchemy.*"),
    *("pandas.io.formats.style", "pandas.plotting.*"),
)
"""Packages with all their modules, as mypy names them, and what of pandas draws."""
