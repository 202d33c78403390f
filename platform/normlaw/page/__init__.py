"""The web page: studies, their curves and laws as they come, and how far each has come."""
