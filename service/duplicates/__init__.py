"""What is in the library twice: the same address, the same text, or nearly the same; and merging it into one.

groups.py finds it, moves.py says what goes over to the resource that stays; the others go to the trash.
Owns nothing. Emits resource.merged. Calls actions of resources. Listens to nothing.
"""
