"""The model of the protocol `envelope`: one curve shared by all train sizes, and one departure from it."""
