"""Ingestion: from an address, an upload or a captured page to a resource with text, step by step.

Owns `ingestions`, `ingestion_steps`, `signatures`. Calls actions of resources and graph.
Emits ingestion.*, citations.extracted, authors.extracted. Started by ingestion.started, document.uploaded and
ingestion.stalled.
"""
