"""Taxonomy: a tree of categories, and what each resource is about.

Owns `categories`, `classifications`, `classification_models`, `taxonomy_state`. Emits resource.classified,
classification.stale, classification.model_trained, classification.model_activated, taxonomy.changed, taxonomy.stale.
Listens to new texts and embeddings.

    tree.py         verbs of the tree: add, change, merge, remove; paths follow
    actions.py      verbs of classifications: label, unlabel, list, review
    predictions.py  a resource's vector -> its most likely categories -> rows
    meanings.py     what the name and description of a category mean, as a vector
    training.py     the monthly contest of two models, and the way back
    loading.py      the classifier of this process, as far as the tree and the labels have come
    classifier.py   scores of categories, from centroids and priors; pure maths
    regression.py   multinomial logistic regression; pure maths
    evaluation.py   what is held out, accuracy, macro-F1; pure maths
    slugs.py        names in paths
    defaults.py     the tree that a new library starts with
"""
