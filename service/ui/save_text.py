"""The words of the page that adds what other programs hand over."""

ENGLISH: dict[str, str | tuple[str, str]] = {
    "save.title": "Save to your library",
    "save.place": "Save from elsewhere",
    "save.url": "Link",
    "save.name": "Title",
    "save.text": "Text",
    "save.private": "For your eyes only",
    "save.page": "Add the page",
    "save.note": "Keep the text as a note",
    "save.added": "Added to your library.",
    "save.known": "Already in your library.",
    "save.read": "Pharos reads it now; you may close this window.",
    "save.no_link": "There is no link to add. Give one, or keep the text as a note.",
    "save.no_text": "There is no text to keep.",
    "save.null": "holds a null character",
    "save.bookmarklet": "From any page",
    "save.bookmarklet.hint": "Drag this link to the bar of bookmarks. A click on it there opens a small window "
    "with the page that you are on, and with the text that you have selected.",
    "save.bookmarklet.name": "Save to Pharos",
    "save.bookmarklet.copy": "Or make a bookmark by hand, with this as its address",
    "save.bookmarklet.code": "Address of the bookmark",
    "save.phone": "From a phone",
    "save.phone.hint": "Install Pharos from the menu of the browser (this needs https://). From then on the phone "
    "offers it wherever something can be shared.",
}
BROWSER: dict[str, str | tuple[str, str]] = {
    "save.drag": "It works from the bar of bookmarks: drag it there.",
}
