// The table of all views: real rows, headings that sort.
"use strict";

/** `columns`: {id, head, title, class, cell(row) -> node, value(row) -> number or string, descending: true if the first click
 *  puts the largest first}. `sort`: {by: a column's id, descending}. Rows are sorted here unless `sorted`. `onsort(sort)`. */
function table({caption, columns, rows, sort, onsort, sorted = false, rowClass = () => null}) {
  const heads = columns.map(column => {
    const active = column.value && sort.by === column.id;
    const changeSort = () => onsort({by: column.id, descending: active ? !sort.descending : Boolean(column.descending)});
    return h("th", {scope: "col", class: column.class, "aria-sort": active ? (sort.descending ? "descending" : "ascending") : null},
      column.value
        ? h("button", {type: "button", class: "sort", title: column.title, "data-column": column.id, onclick: changeSort}, column.head,
            h("span", {class: "arrow", "aria-hidden": "true"}, active ? (sort.descending ? "▾" : "▴") : ""))
        : column.head);
  });
  const body = (sorted ? rows : ordered(rows, columns, sort)).map(row =>
    h("tr", {class: rowClass(row)}, columns.map((column, i) =>
      h(i ? "td" : "th", {scope: i ? null : "row", class: column.class, "data-head": i ? column.head : null}, column.cell(row)))));
  return h("table", {}, h("caption", {class: "visually-hidden"}, caption), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, body));
}

/** Rows without a value come last in either order. */
function ordered(rows, columns, {by, descending}) {
  const value = columns.find(column => column.id === by)?.value;
  if (!value) return rows;
  const isMissing = value => value === null || value === undefined || Number.isNaN(value);
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b) : a - b;
  return rows.map(row => [value(row), row]).sort(([a], [b]) =>
    isMissing(a) || isMissing(b) ? isMissing(a) - isMissing(b) : descending ? compare(b, a) : compare(a, b)).map(([, row]) => row);
}

function readSort(text, fallback) {
  const [, by, order] = /^(.+)\.(up|down)$/.exec(text || "") || [];
  return by ? {by, descending: order === "down"} : fallback;
}

const writeSort = sort => `${sort.by}.${sort.descending ? "down" : "up"}`;

/** Puts `node` in place of `old`; a heading that was pressed keeps the focus. */
function redraw(old, node) {
  const focused = old.contains(document.activeElement) && document.activeElement.dataset.column;
  old.replaceWith(node);
  if (focused) node.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  return node;
}

/** A table that may be wider than the page: it has its own scroll bar, which the keyboard reaches. */
const scrolling = node => h("div", {class: "wide", role: "region", tabindex: 0, "aria-label": node.caption?.textContent || ""}, node);

function pager(page, pages, openPage) {
  if (pages < 2) return null;
  return h("nav", {class: "pager", "aria-label": t("page", {n: page + 1, all: pages})},
    h("button", {type: "button", disabled: page === 0, onclick: () => openPage(page - 1)}, t("previous")),
    h("span", {class: "soft"}, t("page", {n: page + 1, all: pages})),
    h("button", {type: "button", disabled: page + 1 >= pages, onclick: () => openPage(page + 1)}, t("next")));
}
