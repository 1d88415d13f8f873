"""One file per command. The first line of its docstring is what ``tvir --help`` says of it."""
