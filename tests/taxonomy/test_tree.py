"""The tree: paths that follow, no circles, one of a name among siblings, whoever changes it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import func, insert, select, text

from service.database import reading, transaction
from service.errors import Conflict, Invalid, NotFound, PharosError
from service.migrations import migrate
from service.security.accounts import Account
from service.taxonomy import actions, tree
from service.taxonomy.defaults import rows
from service.taxonomy.slugs import slug
from service.taxonomy.tables import Category
from tests.search.conftest import person
from tests.taxonomy.conftest import about, classify, grow, label, told, towards, written

pytestmark = pytest.mark.integration


async def add(who: Account, name: str, parent_id: UUID | None = None) -> UUID:
    async with transaction() as session:
        return (await tree.add(session, who, name, parent_id)).id


async def change(who: Account, id: UUID, **fields: object) -> Category:
    async with transaction() as session:
        return await tree.change(session, who, id, fields)


async def paths() -> dict[UUID, str]:
    async with reading() as session:
        return {row["id"]: row["path"] for row in await tree.listed(session)}


async def consistent() -> bool:
    """Tell whether every path, lineage and list of names is what parents and slugs say."""
    async with reading() as session:
        known = {one.id: one for one in await session.scalars(select(Category))}
    for one in known.values():
        above = known.get(one.parent_id) if one.parent_id else None
        if one.path != (f"{above.path}/{one.slug}" if above else one.slug):
            return False
        if one.lineage != [*(above.lineage if above else []), one.id]:
            return False
        if one.names != [*(above.names if above else []), one.name]:
            return False
    return True


async def test_paths_follow_renames_and_moves(ada: Account) -> None:
    science, arts = await add(ada, "Science"), await add(ada, "Arts")
    physics = await add(ada, "Physics", science)
    optics = await add(ada, "Optics", physics)
    await change(ada, science, name="Natural science")
    assert (await paths())[optics] == "natural-science/physics/optics"
    await change(ada, physics, parent_id=arts)
    assert (await paths())[optics] == "arts/physics/optics"
    await change(ada, physics, parent_id=None)
    assert (await paths())[optics] == "physics/optics"
    assert await consistent()


async def test_a_description_alone_moves_nothing_and_nothing_changes_nothing(ada: Account) -> None:
    sea = await add(ada, "Sea")
    assert (await change(ada, sea, description="Salt water.")).description == "Salt water."
    async with reading() as session:
        before = await session.scalar(text("SELECT count(*) FROM outbox"))
    await change(ada, sea, description="Salt water.", name="Sea")
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM outbox")) == before


async def test_there_are_no_circles(ada: Account) -> None:
    top = await add(ada, "Top")
    below = await add(ada, "Below", top)
    for parent in (top, below):
        with pytest.raises(Conflict, match="cannot go below itself"):
            await change(ada, top, parent_id=parent)
    with pytest.raises(Invalid, match="no category"):
        await change(ada, top, parent_id=uuid4())
    with pytest.raises(NotFound):
        await change(ada, uuid4(), name="x")


async def test_two_moves_at_once_make_no_circle(ada: Account) -> None:
    for _ in range(5):
        left, right = await add(ada, f"Left {uuid4()}"), await add(ada, f"Right {uuid4()}")
        done = await asyncio.gather(
            change(ada, left, parent_id=right), change(ada, right, parent_id=left), return_exceptions=True
        )
        assert [type(one) for one in done if isinstance(one, PharosError)] == [tree.Circle]
    assert await consistent()


async def test_siblings_have_names_and_slugs_of_their_own(ada: Account) -> None:
    await add(ada, "C")
    await add(ada, "C++")
    await add(ada, "C#")
    assert sorted((await paths()).values()) == ["c", "c-2", "c-3"]
    with pytest.raises(Conflict, match="already"):
        await add(ada, "c")
    made = await asyncio.gather(*(add(ada, "Twin") for _ in range(4)), return_exceptions=True)
    assert len([one for one in made if isinstance(one, tree.SiblingExists)]) == 3
    science = await add(ada, "Science")
    moved = await add(ada, "C", science)
    with pytest.raises(Conflict):
        await change(ada, moved, parent_id=None)
    assert await consistent()


async def test_a_tree_fifty_deep_and_no_deeper_than_sixty_four(ada: Account) -> None:
    parent: UUID | None = None
    for level in range(50):
        parent = await add(
            ada, f"Level {level} of a tree whose names are as long as names of categories can be", parent
        )
    root = (await paths_by_depth())[0]
    await change(ada, root, name="🌳/ trunk")
    deepest = (await paths())[parent] if parent else ""
    assert deepest.startswith("trunk/level-1-of")
    assert deepest.count("/") == 49
    assert await consistent()
    for level in range(50, 64):
        parent = await add(ada, f"Level {level}", parent)
    with pytest.raises(Invalid, match="64 levels"):
        await add(ada, "Level 64", parent)


async def paths_by_depth() -> list[UUID]:
    async with reading() as session:
        return list(await session.scalars(select(Category.id).order_by(func.cardinality(Category.lineage))))


async def test_what_is_deleted_takes_its_predictions_along_and_labels_go_back(ada: Account) -> None:
    sea, sky = await grow(ada, "Sea", "Sky")
    resource_id = await about(ada, towards(0, 1, lean=[1, 3]))
    await classify(resource_id)
    await label(ada, resource_id, sea)
    assert [row.assigned for row in await written(resource_id)] == [True, False, False]
    async with transaction() as session:
        await tree.remove(session, ada, sea)
    assert await told(ada, resource_id) == [("sky", True)]
    assert [(row.category_id, row.assigned) for row in await written(resource_id)] == [(sky, True)]


async def test_subcategories_are_not_deleted_by_the_way(ada: Account) -> None:
    top = await add(ada, "Top")
    await add(ada, "Below", top)
    with pytest.raises(Conflict, match="has subcategories"):
        async with transaction() as session:
            await tree.remove(session, ada, top)
    async with transaction() as session:
        await tree.remove(session, ada, top, subtree=True)
    assert await paths() == {}


async def test_merging_takes_labels_predictions_and_subcategories_along(ada: Account) -> None:
    sea, ocean = await grow(ada, "Sea", "Ocean")
    (fish,) = await grow(ada, "Fish", parent_id=sea)
    labelled, predicted = await about(ada, towards(9)), await about(ada, towards(0))
    await label(ada, labelled, sea)
    await classify(predicted)
    async with transaction() as session:
        await tree.merge(session, ada, sea, ocean)
    assert (await paths()) == {ocean: "ocean", fish: "ocean/fish"}
    assert await told(ada, labelled) == [("ocean", False)]
    assert "sea" not in [path for path, _ in await told(ada, predicted)]
    async with reading() as session:
        known = await session.get_one(Category, ocean)
    assert (known.label_count, known.centroid) == (1, towards(9))
    for into, expected in ((ocean, Invalid), (fish, Conflict), (uuid4(), NotFound)):
        with pytest.raises(expected):
            async with transaction() as session:
                await tree.merge(session, ada, ocean, into)
    assert await consistent()


async def test_a_merge_of_subcategories_of_one_name_says_so(ada: Account) -> None:
    sea, ocean = await add(ada, "Sea"), await add(ada, "Ocean")
    await add(ada, "Fish", sea)
    await add(ada, "fish", ocean)
    with pytest.raises(Conflict, match="ocean/fish"):
        async with transaction() as session:
            await tree.merge(session, ada, sea, ocean)
    assert len(await paths()) == 4


async def test_the_migration_plants_the_default_tree_and_what_is_deleted_stays_deleted(
    new_database: Callable[[], Awaitable[str]],
) -> None:
    url = await new_database()
    connection = await asyncpg.connect(url)
    try:
        planted = await connection.fetch("SELECT id, path, names, lineage FROM categories")
        assert {row["path"]: row["id"] for row in planted} == {row["path"]: row["id"] for row in rows()}
        assert {row["path"]: row["lineage"] for row in planted} == {row["path"]: row["lineage"] for row in rows()}
        await connection.execute("DELETE FROM categories WHERE path LIKE 'computing%'")
        await migrate(url)
        assert await connection.fetchval("SELECT count(*) FROM categories") == len(rows()) - 10
    finally:
        await connection.close()


async def test_ten_thousand_categories(ada: Account) -> None:
    made = []
    for number in range(10_000):
        above = made[(number - 1) // 10] if number else None
        name, id = f"Category {number}", uuid4()
        made.append(
            {
                "id": id, "parent_id": above and above["id"], "name": name, "slug": slug(name),
                "path": f"{above['path']}/{slug(name)}" if above else slug(name),
                "names": [*(above["names"] if above else []), name],
                "lineage": [*(above["lineage"] if above else []), id],
            }
        )  # fmt: skip
    async with transaction() as session:
        await session.execute(insert(Category), made)
        await session.execute(
            text(
                "UPDATE categories SET prior = CAST(CAST(ARRAY("
                "SELECT random() FROM generate_series(1, 384) WHERE slug = slug) AS real[]) AS vector)"
            )
        )
    async with reading() as session:
        listed = await tree.listed(session)
        assert len(listed) == 10_000
        assert len(tree.nested(listed)) == 1
    resource_id = await about(ada, towards(3))
    assert await classify(resource_id)
    assert len(await told(ada, resource_id)) == 5
    renamed = await change(ada, made[0]["id"], name="Everything")
    assert renamed.path == "everything"
    assert all(path.startswith("everything") for path in (await paths()).values())
    await label(ada, resource_id, made[9_999]["id"])
    async with reading() as session:
        assert await actions.counted(session, ada, made[0]["id"]) == 1
        assert await actions.counted(session, await person("grace"), made[1]["id"]) in (0, 1)
