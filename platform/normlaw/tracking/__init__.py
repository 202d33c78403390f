"""The only folder that knows MLflow."""
