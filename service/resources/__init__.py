"""Resources: the items of the library, their metadata and their text.

Owns `resources`. Emits resource.created, .updated, .content_changed, .metadata_changed, .deleted,
.restored. Calls actions of trash. Listens to nothing.
"""
