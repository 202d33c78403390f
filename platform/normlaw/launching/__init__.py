"""From a study to its runs: tried out, planned, trained, shown."""
