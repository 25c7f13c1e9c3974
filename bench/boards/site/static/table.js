// One table for all views: real rows, heads that sort.
"use strict";

/** `columns`: {id, head, title, cell(row) -> node, value(row) -> number or string, descending: whether the first click puts
 *  the largest first, class}. `sort`: {by: a column's id, descending}; rows are sorted here unless `sorted`. `onsort(sort)`. */
function table({caption, columns, rows, sort, onsort, sorted = false, rowClass = () => null}) {
  const heads = columns.map(column => {
    const active = column.value && sort.by === column.id;
    const turn = () => onsort({by: column.id, descending: active ? !sort.descending : Boolean(column.descending)});
    return h("th", {scope: "col", class: column.class, "aria-sort": active ? (sort.descending ? "descending" : "ascending") : null},
      column.value
        ? h("button", {type: "button", class: "sort", title: column.title, "data-column": column.id, onclick: turn}, column.head,
            h("span", {class: "arrow", "aria-hidden": "true"}, active ? (sort.descending ? "▾" : "▴") : ""))
        : column.head);
  });
  const body = (sorted ? rows : ordered(rows, columns, sort)).map(row =>
    h("tr", {class: rowClass(row)}, columns.map((column, i) =>
      h(i ? "td" : "th", {scope: i ? null : "row", class: column.class, "data-head": i ? column.head : null}, column.cell(row)))));
  return h("table", {}, h("caption", {class: "unseen"}, caption), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, body));
}

/** What has no value comes last, whichever way the rest goes. */
function ordered(rows, columns, {by, descending}) {
  const value = columns.find(column => column.id === by)?.value;
  if (!value) return rows;
  const none = v => v === null || v === undefined || Number.isNaN(v);
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b) : a - b;
  return rows.map(row => [value(row), row]).sort(([a], [b]) =>
    none(a) || none(b) ? none(a) - none(b) : descending ? compare(b, a) : compare(a, b)).map(([, row]) => row);
}

function readSort(text, fallback) {
  const [, by, way] = /^(.+)\.(up|down)$/.exec(text || "") || [];
  return by ? {by, descending: way === "down"} : fallback;
}

const writeSort = sort => `${sort.by}.${sort.descending ? "down" : "up"}`;

/** Draws `node` in place of `old`; the head that was pressed keeps the focus. */
function redraw(old, node) {
  const focused = old.contains(document.activeElement) && document.activeElement.dataset.column;
  old.replaceWith(node);
  if (focused) node.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  return node;
}

/** A table that may be wider than the page: it scrolls by itself, with the keyboard too. */
const scrolling = node => h("div", {class: "wide", role: "region", tabindex: 0, "aria-label": node.caption?.textContent || ""}, node);

function pager(page, pages, go) {
  if (pages < 2) return null;
  return h("nav", {class: "pager", "aria-label": t("page", {n: page + 1, of: pages})},
    h("button", {type: "button", disabled: page === 0, onclick: () => go(page - 1)}, t("previous")),
    h("span", {class: "soft"}, t("page", {n: page + 1, of: pages})),
    h("button", {type: "button", disabled: page + 1 >= pages, onclick: () => go(page + 1)}, t("next")));
}
