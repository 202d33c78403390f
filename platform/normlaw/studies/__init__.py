"""The shipped studies: YAML files, runnable by name."""
