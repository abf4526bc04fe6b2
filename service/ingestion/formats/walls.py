"""Pages that stand in for the page: logins, captchas, error pages, empty shells.

Every rule needs two things at once: little text, and a sign in the title, the words or the markup. A long article that
has a login form in its header or a captcha below its comments is none of these.
"""

import re

from service.ingestion.formats.trees import Element, shown_text
from service.ingestion.unreadable import Captcha, EmptyPage, ErrorPage, LoginWall

LITTLE = 120  # words; what is longer is taken for the page itself
LEAST = 3  # words; what is shorter is no page
LETTERS_PER_WORD = 5

CAPTCHA_TITLES = re.compile(
    r"just a moment|attention required|robot check|are you (?:a )?(?:human|robot)|human verification|captcha"
    r"|security (?:check|verification)|pardon our interruption|ddos.guard|checking your browser|bot verification"
    r"|verif(?:y|ying) (?:that )?you|access (?:to this page )?(?:has been |is )?denied",
    re.IGNORECASE,
)
CAPTCHA_WORDS = re.compile(
    r"(?:verif|confirm|prove|check|mak)\w*[^.]{0,40}\b(?:human|not a (?:ro)?bot|a real person)|unusual traffic|captcha"
    r"|checking your browser|automated (?:access|requests|queries)|i'?m not a robot|press (?:and|&) hold",
    re.IGNORECASE,
)
CAPTCHA_MARKUP = re.compile(
    r"challenges\.cloudflare\.com|cf-(?:chl|challenge)|cdn-cgi/challenge|recaptcha|hcaptcha|h-captcha|px-captcha|geetest"
    r"|captcha-delivery|_incapsula_|arkoselabs|cf-turnstile",
    re.IGNORECASE,
)
LOGIN_TITLES = re.compile(
    r"^\W*(?:please )?(?:log.?in|sign.?in|log.?on|login required|members only|anmelden|anmeldung|einloggen|connexion"
    r"|se connecter|iniciar sesi[oó]n|acceder|accedi|entrar|inloggen)\b",
    re.IGNORECASE,
)
LOGIN_WORDS = re.compile(
    r"(?:log|sign) ?in (?:to|with|or)\b|must (?:be logged in|log in|sign in)|(?:please|you need to) (?:log|sign) ?in"
    r"|(?:for|only to) (?:subscribers|members)|members only|forgot(?:ten)? (?:your )?password|(?:melden sie sich|bitte "
    r"anmelden)|subscribe to (?:continue|read|keep reading)|already (?:a subscriber|have an account)",
    re.IGNORECASE,
)
ERROR_TITLES = re.compile(
    r"\b(?:404|page not found|file not found|not found|403 forbidden|forbidden|500 internal server error|server error"
    r"|502 bad gateway|503 service|504 gateway|service unavailable|seite (?:wurde )?nicht gefunden|page introuvable"
    r"|página no encontrada|pagina non trovata)\b",
    re.IGNORECASE,
)
SCRIPT_WORDS = re.compile(
    r"(?:enable|requires?|turn on|activate|need|without) java ?script|javascript is", re.IGNORECASE
)


def refuse_walls(tree: Element, title: str, text: str) -> None:
    """Refuse a fetched page that is not what was asked for (raises LoginWall, Captcha, ErrorPage, EmptyPage).

    `text` is what was taken for its main text, `tree` the page before anything was removed from it.
    """
    if length_of(text) >= LITTLE:
        return
    shown = shown_text(tree)
    heading = " ".join(tree.xpath("string(.//h1[1])").split())
    marks = tree.xpath(".//script/@src | .//iframe/@src | .//@class | .//@id")
    markup = any(CAPTCHA_MARKUP.search(mark) for mark in marks)
    if CAPTCHA_TITLES.search(title) or (CAPTCHA_WORDS.search(shown) and (markup or length_of(shown) < LITTLE)):
        raise Captcha
    if markup and length_of(text) < LITTLE / 4:
        raise Captcha
    password = bool(tree.xpath(".//input[translate(@type, 'PASWORD', 'pasword')='password']"))
    if LOGIN_TITLES.search(title) or (LOGIN_WORDS.search(shown) and (password or length_of(shown) < LITTLE)):
        raise LoginWall
    if password and length_of(text) < LITTLE / 4:
        raise LoginWall
    if ERROR_TITLES.search(title) or ERROR_TITLES.search(heading):
        raise ErrorPage(title=title or heading)
    if length_of(text) < LITTLE / 4 and SCRIPT_WORDS.search(" ".join(tree.xpath("string(.)").split())):
        raise EmptyPage(hint=": it only shows something when JavaScript runs")


def refuse_emptiness(text: str) -> None:
    """Refuse a page without text (raises EmptyPage)."""
    if length_of(text) < LEAST:
        raise EmptyPage(hint="")


def length_of(text: str) -> float:
    """Count words, or what would be words in a script without blanks."""
    return max(len(text.split()), sum(map(str.isalpha, text[:5000])) / LETTERS_PER_WORD)
