"""Somebody takes a quiz by the keyboard, sees what came of it, and reviews it on the next days."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from service.embedded.postgres import Postgres
from tests.e2e.conftest import Open
from tests.e2e.test_page import AUDIT
from tests.installation import Installation
from tests.quizzes.samples import CELLS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FILLER = "Ships passed the reef at night, and the keeper wrote down each of them in his book.\n\n" * 40
PASSAGE = "The lens of Cordouan was made by Augustin-Jean Fresnel and first lit in 1823."
CONTENT = f"{FILLER}{PASSAGE}\n\n{FILLER}"
OPTIONS = ["Thomas Young", "Augustin-Jean Fresnel", "François Arago", "David Brewster"]
QUESTIONS: list[dict[str, Any]] = [
    {"type": "multiple_choice", "stem": "Who made the lens of Cordouan?", "options": OPTIONS, "answer": {"option": 1}},
    {"type": "true_false", "stem": "The lens was first lit in 1823.", "answer": {"value": True}},
    {"type": "fill_in_blank", "stem": "It was lit in _____ at _____.", "answer": {"blanks": [["1823"], ["Cordouan"]]}},
    {
        "type": "short_answer",
        "stem": "What is known of the lens?",
        "answer": {
            "text": "It was made by Fresnel.",
            "key_points": [{"text": "Fresnel made it.", "terms": ["Fresnel"]}],
        },
    },
]


def execute(installation: Installation, *statements: tuple[str, list[Any]]) -> None:
    """Change rows of a running Pharos."""

    async def run() -> None:
        connection = await asyncpg.connect(Postgres(installation.home / "postgres").url())
        try:
            for statement, arguments in statements:
                await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:  # the browser has a loop in this one
        thread.submit(asyncio.run, run()).result()


def prepared(installation: Installation, resource_id: str, owner_id: str, title: str) -> UUID:
    """Put a quiz into the database, as the task that makes one does."""
    quiz_id = uuid4()
    quiz = """INSERT INTO quizzes (id, owner_id, title, sources, num_questions, question_types, seed, status)
        VALUES ($1, $2, $3, '{}', 4, '[]', 1, 'ready')"""
    question = """INSERT INTO quiz_questions
        (id, quiz_id, resource_id, position, type, difficulty, stem, options, answer, passage, passage_start,
         content_hash)
        SELECT $1, $2, id, $4, $5, 'easy', $6, $7::jsonb, $8::jsonb, $9, $10, content_hash
        FROM resources WHERE id = $3"""
    rows = [
        (question, [
            uuid4(), quiz_id, UUID(resource_id), place, one["type"], one["stem"],
            orjson.dumps(one["options"]).decode() if "options" in one else None, orjson.dumps(one["answer"]).decode(),
            PASSAGE, CONTENT.index(PASSAGE),
        ])
        for place, one in enumerate(QUESTIONS)
    ]  # fmt: skip
    execute(installation, (quiz, [quiz_id, UUID(owner_id), title]), *rows)
    return quiz_id


def pass_days(installation: Installation, days: int) -> None:
    """Let what is reviewed have been reviewed so many days earlier."""
    by = f"- interval '{days} days'"
    execute(
        installation,
        (f"UPDATE review_cards SET due = due {by}, last_review = last_review {by}", []),
        (f"UPDATE review_log SET reviewed_at = reviewed_at {by}", []),
    )


def picture(page: Page, pictures: Path, name: str) -> None:
    assert page.evaluate(AUDIT) == []
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []
    page.screenshot(path=pictures / f"{name}.png", full_page=True)


def answer_current(page: Page) -> None:
    """Answer the question that is shown, by the keyboard; its short answer is left for later."""
    question = page.locator(".question[data-current]")
    match question.get_attribute("data-type"):
        case "multiple_choice":
            options = question.locator(".option span").all_text_contents()
            page.keyboard.press(str(options.index("Augustin-Jean Fresnel") + 1))
        case "true_false":
            page.keyboard.press("2")  # which is wrong
        case "fill_in_blank":
            page.keyboard.type("1823")
            page.keyboard.press("Tab")
            page.keyboard.type("cordouan")
        case _:
            pass


def test_a_quiz_is_taken_and_comes_back(
    open_page: Open, installation: Installation, address: str, pictures: Path
) -> None:
    page = open_page()
    made = page.request.post(
        "/resources", data={"title": "The lens of Cordouan", "content": CONTENT}, headers={"Origin": address}
    )
    assert made.status == 201, made.text()
    owner = page.request.get("/users/me").json()["id"]
    quiz_id = prepared(installation, made.json()["id"], owner, "Lenses of lighthouses")

    page.goto(f"/ui/quizzes/{quiz_id}/take")
    picture(page, pictures, "take-start")
    page.get_by_label("Time limit").select_option("10 minutes")
    page.get_by_role("button", name="Start").click()
    current = page.locator(".question[data-current]")
    expect(current).to_have_count(1)
    picture(page, pictures, "take-one")
    for place in range(4):
        expect(current).to_have_attribute("id", f"question-{place + 1}")
        answer_current(page)
        if place < 3:
            page.keyboard.press("Control+Enter" if current.get_attribute("data-type") == "short_answer" else "Enter")
    expect(page.locator("#answered")).to_have_text("3 of 4")
    expect(page.locator("#saved")).to_have_text("Saved")
    expect(page.locator("#time")).to_have_text(re.compile(r"^0\d:\d\d$|^10:00$"))
    session = page.locator("#take").get_attribute("data-id")
    assert page.request.get(f"/sessions/{session}/results").status == 400

    phone = open_page(320, 640, dark=True)  # another device goes on
    phone.goto(f"/ui/quizzes/{quiz_id}/take")
    expect(phone.locator("#answered")).to_have_text("3 of 4")
    expect(phone.locator(".question[data-current]")).to_have_attribute("data-type", "short_answer")
    phone.keyboard.type("Fresnel made it")
    expect(phone.locator("#saved")).to_have_text("Saved")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
    picture(phone, pictures, "take-phone")

    page.get_by_role("button", name="All on one page").click()
    expect(page.locator(".question:visible")).to_have_count(4)
    picture(page, pictures, "take-list")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 question has no answer yet.")  # it knows its own only
    page.get_by_role("button", name="Go back").click()
    page.reload()
    expect(page.locator("#answered")).to_have_text("4 of 4")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    page.wait_for_url(f"**/ui/sessions/{session}")
    expect(page.locator(".verdict")).to_contain_text("75.0 %")
    expect(page.locator(".verdict")).to_contain_text("C")
    picture(page, pictures, "result")
    phone.wait_for_url(f"**/ui/sessions/{session}")  # the other device hears of it
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
    picture(phone, pictures, "result-phone")

    page.locator("figcaption a").first.click()
    page.wait_for_url("**/ui/resources/*")
    expect(page.get_by_text(PASSAGE)).to_be_in_viewport()  # in the middle of a long text
    page.goto("/ui/reviews")
    expect(page.locator("#done")).to_be_visible()
    picture(page, pictures, "reviews-none")

    pass_days(installation, 2)
    page.goto("/ui/reviews")
    expect(page.locator("#left")).to_have_text("4 left")
    expect(page.locator("#reveal")).to_be_visible()
    picture(page, pictures, "reviews-question")
    for left in (4, 3, 2, 1):
        expect(page.locator("#left")).to_have_text(f"{left} left")
        field = page.locator("#question textarea, #question input[type=text]")
        if field.count():
            field.last.press("Tab")
            page.get_by_role("button", name="Show the answer").click()
        else:
            page.keyboard.press("1")
            page.keyboard.press(" ")
        expect(page.locator("#ratings")).to_be_visible()
        if left == 4:
            picture(page, pictures, "reviews-answer")
        page.keyboard.press("3")
    expect(page.locator("#done")).to_be_visible()
    expect(page.locator("#figures")).to_contain_text("100 %")
    assert page.request.get("/reviews/due").json()["total"] == 0
    phone.goto("/ui/reviews")
    expect(phone.locator(".forecast rect").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
    picture(phone, pictures, "reviews-phone")
    page.goto(f"/ui/quizzes/{quiz_id}/take")
    expect(page.get_by_role("link", name="C 75.0 %")).to_be_visible()


def test_a_quiz_ends_when_its_time_is_up(open_page: Open, installation: Installation, address: str) -> None:
    page = open_page()
    made = page.request.post("/resources", data={"title": "Time", "content": CONTENT}, headers={"Origin": address})
    quiz_id = prepared(installation, made.json()["id"], page.request.get("/users/me").json()["id"], "Against time")
    started = page.request.post(
        f"/quizzes/{quiz_id}/sessions", data={"time_limit_seconds": 600, "seed": 3}, headers={"Origin": address}
    )
    page.clock.install()
    page.goto(f"/ui/quizzes/{quiz_id}/take")
    question = page.locator(".question[data-type=true_false]")
    page.get_by_role("button", name="All on one page").click()
    question.get_by_text("True").click()
    page.clock.fast_forward(1000 * 599)  # what is given is saved before the end
    expect(page.locator("#saved")).to_have_text("Saved")
    page.clock.fast_forward(1000 * 2)
    page.wait_for_url(f"**/ui/sessions/{started.json()['session_id']}")
    expect(page.locator(".verdict")).to_contain_text("25.0 %")


def test_from_the_upload_to_the_next_day(open_page: Open, installation: Installation, pictures: Path) -> None:
    page = open_page()
    page.goto("/ui/documents")
    page.set_input_files("#files", [{"name": "cells.txt", "mimeType": "text/plain", "buffer": CELLS.encode()}])
    paper = page.locator(".paper", has_text="cells")
    expect(paper).to_have_attribute("data-status", "ready", timeout=60_000)  # watched, without a reload

    page.goto("/ui/quizzes")
    form = page.locator("#quiz-form")
    if not form.is_visible():
        page.locator(".quiz-new summary").click()
    form.locator("label", has_text="cells").locator("input").check()
    form.get_by_label("Short answer").uncheck()
    form.locator("[name=number]").fill("8")
    form.locator("button[type=submit]").click()
    quiz = page.locator("#quizzes > li[data-status=ready]", has_text="cells")
    expect(quiz).to_be_visible(timeout=60_000)
    picture(page, pictures, "quizzes")
    quiz.get_by_role("link", name="Take").click()
    page.wait_for_url("**/take")
    id = page.url.split("/")[-2]
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".question")).not_to_have_count(0)
    asked = page.locator(".question").count()
    shown_before = page.content()
    assert page.request.get(f"/quizzes/{id}/questions").status == 409  # nobody looks the answers up now
    assert '"answer"' not in shown_before
    page.get_by_role("button", name="All on one page").click()
    for number in range(asked):
        question = page.locator(".question").nth(number)
        if question.get_attribute("data-type") == "fill_in_blank":
            question.locator("input[type=text]").first.fill("the nucleus")
        else:
            question.locator(".option").first.click()
    expect(page.locator("#answered")).to_have_text(f"{asked} of {asked}")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    page.wait_for_url("**/ui/sessions/*")
    results = page.request.get(f"/sessions/{page.url.split('/')[-1]}/results").json()
    expect(page.locator(".verdict")).to_contain_text(f"{results['percentage']:.1f} %")
    for one in results["questions"]:
        assert one["passage"]["text"] in CELLS
    picture(page, pictures, "result-of-a-document")

    pass_days(installation, 1)
    page.goto("/ui/reviews")
    wrong = sum(not one["points"] for one in results["questions"])  # what was right comes back later
    assert wrong
    expect(page.locator("#left")).to_have_text(f"{wrong} left")
    expect(page.locator("#reveal")).to_be_visible()
