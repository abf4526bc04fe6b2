"""Webhooks: what happens here is told to people's own programs, signed, and again until it arrives.

Owns `webhooks`, `webhook_secrets`, `webhook_deliveries`. Emits webhook.*. Listens to every event: each becomes one
delivery per webhook that subscribes to it and whose owner may see it.

    patterns.py       which events a subscription names
    signing.py        the signature of a delivery
    subscriptions.py  who subscribes, as this process knows it
    listening.py      what the bus calls
    offering.py       from an event to deliveries; what was missed is found in the log
    delivering.py     one attempt, and what follows from it
    actions.py        make, list, change, delete, test, send again
"""
