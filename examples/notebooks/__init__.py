"""Notebooks, kept as plain text: each is a Python file whose cells begin with `# %%`."""
