"""What is in the library twice: the same address, the same text, or nearly the same; and merging it into one.

groups.py finds it, separations.py knows what a person said is not the same, moves.py says what goes over to the
resource that stays; the others go to the trash.
Owns `separations`, of which no event tells: nothing is derived from them. Emits resource.merged. Calls actions of
resources. Listens to nothing.
"""
