"""Batches: one operation on up to ten thousand resources, with progress, an error per item, and no item done twice.

Owns `batches` and `batch_items`. Emits batch.requested. An item and what was done to it commit together, so that a
batch goes on where it stood, whatever killed its worker.
"""
