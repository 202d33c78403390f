"""What becomes of a study, seen from outside: read off journals and MLflow, and nothing written."""
