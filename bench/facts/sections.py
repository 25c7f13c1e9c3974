"""Labels of the parts of a law or treaty, in both languages."""

from __future__ import annotations

ZH_LABELS = {
    "条": ("article",),
    "款": ("paragraph",),
    "项": ("item",),
    "目": ("item",),
    "章": ("chapter",),
    "节": ("section",),
    "编": ("part",),
    "分编": ("part",),
    "部分": ("part",),
    "附件": ("annex",),
    "附录": ("annex",),
    "附表": ("annex", "table"),
    "表": ("table",),
    "图": ("figure",),
    "专栏": ("box",),
}
"""Chinese label -> what it is called here."""
EN_LABELS = {
    "article": ("article",),
    "art": ("article",),
    "rule": ("article",),
    "regulation": ("article",),
    "section": ("article", "section", "paragraph"),
    "sec": ("article", "section", "paragraph"),
    "clause": ("article", "paragraph", "item"),
    "paragraph": ("paragraph", "item"),
    "para": ("paragraph", "item"),
    "subsection": ("paragraph",),
    "subparagraph": ("item", "paragraph"),
    "sub-paragraph": ("item", "paragraph"),
    "item": ("item",),
    "subitem": ("item",),
    "point": ("item",),
    "chapter": ("chapter",),
    "part": ("part",),
    "book": ("part",),
    "annex": ("annex",),
    "appendix": ("annex",),
    "attachment": ("annex",),
    "schedule": ("annex", "table"),
    "table": ("table",),
    "figure": ("figure",),
    "fig": ("figure",),
    "box": ("box",),
}
"""English label, singular, in lower case -> the parts that translators call by it."""
