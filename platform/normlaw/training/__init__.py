"""Training of one run; importable without MLflow."""
