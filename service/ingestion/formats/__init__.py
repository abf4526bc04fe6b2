"""One module per format, each with `read(...) -> Draft`; they run in a parser process only."""
