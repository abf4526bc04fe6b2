"""What others would have built, and what users would pick instead; run from `.venv-bench`, never with the product."""
