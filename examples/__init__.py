"""Short programs that each show one thing: `python -m examples` lists them and runs them."""
