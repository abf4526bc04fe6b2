"""The model server: one process per machine on a Unix socket, so that all workers and web processes share one model.

    python -m workers.inference

    server.py    the socket: frames in, frames out, a closed connection cancels its request
    lanes.py     who computes when: queries at once, passages with what is left of the processor
    model.py     the files (checked), the tokenizer, the vectors
    graph.py     int8 arithmetic instead of float32
    chunking.py  a text -> passages of at most 128 word pieces, cut at sentences

The client is `service/inference.py`. Nothing else imports a model library.
"""
