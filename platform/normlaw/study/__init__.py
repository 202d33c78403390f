"""What is to be run: study, specification, identity, YAML, shipped studies."""
