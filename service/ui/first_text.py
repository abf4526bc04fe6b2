"""What an empty library says, and what each page says of itself until somebody has put it away."""

ENGLISH: dict[str, str | tuple[str, str]] = {
    "empty.title": "Nothing here yet",
    "empty.text": "Add the first thing worth keeping. Pharos reads it, and from then on you find it by its words or "
    "by what it means.",
    "empty.page": "Add a page",
    "empty.page.text": "Paste a link, or fifty of them, into the field above.",
    "empty.file": "Add a file",
    "empty.file.text": "Drop a PDF, a Word file, an e-book or Markdown anywhere on this page.",
    "empty.import": "Bring in what you have",
    "empty.import.text": "Bookmarks, reading lists and bibliographies of other programs.",
    "empty.save": "Save while you read",
    "empty.save.text": "A bookmark, the share menu of your phone, or an extension for your browser.",
    "empty.sample": "Try it with a sample set",
    "empty.sample.text": "Ten short texts about memory, libraries and search, that cite one another. Only you see "
    "them, and they go away in one step.",
    "empty.sample.button": "Add the sample set",
    "sample.here": "The sample set is in your library.",
    "sample.collection": "See its collection",
    "sample.remove": "Remove the sample set",
    "hint.dismiss": "Got it",
    "hint.label": "About this page",
    "hints.again": "Explain the pages again",
    "hint.library": "Everything that you add stands here, the newest first, with how far it is: fetched, read, "
    "found by its words, found by its meaning. Choose several with x to tag, collect or delete them together.",
    "hint.search": "Type words, a “phrase in quotes” or a question. Best of both looks for words and for meaning; "
    "the filters beside the results narrow them down.",
    "hint.reading": "What you mean to read waits here, with what is left of it. Pharos remembers your place in each "
    "text by itself, and opens it there on every device.",
    "hint.documents": "The files that you upload to study from. Put them into subjects, see where each stands, and "
    "have a quiz made of some of them.",
    "hint.collections": "Put together what belongs together. A collection is yours alone, shared with everybody "
    "here, or public by a link; each suggests what else would fit.",
    "hint.categories": "Each text is sorted into this tree by what it is about. Where that is wrong, say so on its "
    "page: your word counts, and the next guesses learn from it.",
    "hint.authors": "Who wrote what is here. Spellings of one name are brought together by themselves; what should "
    "not be can be told apart again.",
    "hint.graph": "A dot is a text, a line a citation or something else that two of them share. Choose a dot to see "
    "it in the middle; the list below says the same in words.",
    "hint.quizzes": "Questions about what you read, each with the passage that it rests on. What you answered comes "
    "back under Reviews.",
    "hint.reviews": "Questions come back shortly before you would forget them. Say how well you remembered, and the "
    "next day is chosen by that.",
    "hint.notifications": "You hear here of what is ready and of what went wrong, once for many of a kind. Below "
    "you choose of what, and whether it comes by e-mail, too.",
    "hint.import": "Bring in bookmarks, reading lists and bibliographies; what is here already is not added twice. "
    "Below you take everything out again, in the formats of other programs.",
    "hint.feeds": "Each new thing that a site publishes comes into your library. How often a feed is looked at follows "
    "from how often it has something new; what went wrong stands beside it.",
    "hint.operations": "How the machinery does: what waits, what runs, and what failed and why. The parts above "
    "renew themselves; each choice stands in the address.",
}

BROWSER: dict[str, str | tuple[str, str]] = {
    "sample.added": "The sample set is being read",
    "sample.really": "Remove the ten texts of the sample set, and everything that was made of them?",
    "sample.gone": "The sample set is removed",
    "hint.gone": "The hint is put away",
    "hints.back": "The pages explain themselves again",
}
