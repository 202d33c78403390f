pytest_plugins = ["normlaw_registry.testing.fixtures"]
