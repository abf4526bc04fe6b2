"""Feeds: what people follow becomes resources, and what is here can be followed.

Owns `feeds`, `feed_entries`, `feed_hosts`, `feed_links`. Calls actions of ingestion, collections and search. Emits
feed.due, when somebody follows a feed and when the timetable finds that one is to be looked at.

    parsed.py     what a feed says; reading.py reads it in a child process, parsing.py asks that process
    intervals.py  when to look again
    polling.py    one look at a feed, and what follows from it; one at a time per host
    opml.py       lists of feeds as other readers write them
    actions.py    follow, list, change, leave
    atom.py       a feed of ours as text
    published.py  collections and saved searches as feeds
    links.py      secret addresses of these, for readers that cannot sign in
"""
