"""The platform: studies, training, tracking in MLflow, and the analysis of learning curves."""
