"""Other libraries' names over minigrad, for programs that were written for them."""
