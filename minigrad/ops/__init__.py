"""The operations, one file per family; each is one declaration (see `minigrad.graph`)."""
