"""The components that come with normlaw; the platform finds them as it finds anyone's."""
