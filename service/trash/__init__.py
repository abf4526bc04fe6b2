"""The trash: what was deleted, until it is restored or deleted for good.

    DELETE    put()        the resource and what people made of it become one JSON document; the rows themselves go,
                           so that no other query knows of the trash. What is derived is not kept: it is made again.
    restore   take_back()  the document becomes rows again, in the same transaction as the events that derive the rest
    purge     purge()      the document goes, and with resources.purged the originals that nothing else refers to

Owns `trash`; kept.py says which rows of other slices it keeps, among those that go with a deleted resource by cascade.
Emits resources.purged. Listens to nothing.
"""
