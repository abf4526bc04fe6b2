"""What MkDocs does not do by itself: the navigation from docs/README.md, and links to files beside docs/."""

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[2]
START = "README.md"  # the first page, with the table

_ROW = re.compile(r"^\| (?!to \|)([^|-][^|]*) \| (.*) \|$", re.MULTILINE)
_LINK = re.compile(r"(\[[^\]]*\]\()([^)\s#]+)((?:#[^)\s]*)?\))")


def on_config(config: MkDocsConfig) -> None:
    """Take the navigation from the table of docs/README.md, and make anchors as GitHub does."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    config.nav = navigation((Path(config.docs_dir) / START).read_text())


def navigation(table: str) -> list[dict[str, Any]]:
    """Return the sections and pages that a table of links names, in its order."""
    sections: list[dict[str, Any]] = [{"Start": START}]
    for reader, links in _ROW.findall(table):
        pages = [{_titled(text): target} for text, target in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", links)]
        sections.append({_titled(reader): pages})
    return sections


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Publish the files beside docs/ that pages link to, and a list of the files of each folder that they link to."""
    icon = (ROOT / "service" / "ui" / "static" / "favicon.svg").read_bytes()
    files.append(File.generated(config, "pharos.svg", content=icon))
    for page in list(files.documentation_pages()):
        for target in _beside(page.src_uri, page.content_string):
            if files.get_file_from_path(_published(target)) is None:
                files.append(File.generated(config, _published(target), content=(ROOT / target).read_text()))
        for folder in re.findall(r"\]\(([^):#]+)/\)", page.content_string):
            there = sorted(path.name for path in (Path(config.docs_dir) / folder).iterdir())
            listed = "\n".join(f"- [{name}]({name})" for name in there)
            files.append(File.generated(config, f"{folder}/index.md", content=f"# {folder}\n\n{listed}\n"))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead to what is published instead of what lies beside docs/."""

    def lead(found: re.Match[str]) -> str:
        before, target, after = found.groups()
        if target.endswith("/") and ":" not in target:
            return f"{before}{target}index.md{after}"
        outside = _outside(page.file.src_uri, target)
        if outside is None:
            return found[0]
        return f"{before}{relpath(_published(outside), Path(page.file.src_uri).parent.as_posix())}{after}"

    return _LINK.sub(lead, markdown)


def _beside(page: str, text: str) -> list[str]:
    found = (_outside(page, target) for _, target, _ in _LINK.findall(text))
    return [target for target in found if target is not None]


def _outside(page: str, target: str) -> str | None:
    """Return the path, from the root of the checkout, of what a page links to outside of docs/; None for all else."""
    if re.match(r"[a-z]+:|/", target):
        return None
    path = normpath(Path(page).parent / target)
    return path.removeprefix("../") if path.startswith("../") else None


def _published(path: str) -> str:
    return f"files/{path.lstrip('.')}.txt"


def _titled(words: str) -> str:
    return words[0].upper() + words[1:]
