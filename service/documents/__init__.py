"""Documents: files that people upload.

Owns `documents`. Calls actions of ingestion, which reads them. Emits document.uploaded.
"""
