"""Cannot be parsed."""

def normlaw_datasets(:
