// The board of a direction: the table, two plots and notes.
"use strict";

const rank = (row, metric) => row.ranks[metric.id] ? ` (${rankRange(row.ranks[metric.id])})` : "";
const rankRange = ([best, worst]) => best === worst ? `${best}` : `${best}–${worst}`;

const scoreTexts = (row, metric) => [...(row.score_texts[metric.id] || ["–", ""]), rank(row, metric)];

/** Score, half its interval, rank. The latter two are padded to the longest of their column, so that all ± are aligned. */
const scoreCell = (row, metric, widths = [0, 0, 0]) => {
  const [value, half, place] = scoreTexts(row, metric).map((text, i) => text.padEnd(widths[i], "\u2007")); // a digit's width
  return [h("span", {class: "value"}, value), h("span", {class: "half"}, half), h("span", {class: "rank", title: t("rank")}, place)];
};

function metricColumn(metric, rows) {
  const widths = [0, 0, 0];
  for (const row of rows) scoreTexts(row, metric).forEach((text, i) => { if (i) widths[i] = Math.max(widths[i], text.length); });
  return {
    id: metric.id, head: `${metric.label} ${metric.arrow}`, title: metric.signature, class: "number",
    descending: metric.higher_is_better,
    value: row => row.scores[metric.id]?.[0],
    cell: row => scoreCell(row, metric, widths),
  };
}

function boardColumns(direction, metrics, rows) {
  const textColumn = id => ({id, head: t(id), class: id === "device" ? null : "loose", value: row => row[id] || null,
    cell: row => plain(String(row[id] || "–"))});
  return [
    {id: "system", head: t("system"), value: row => row.system, cell: row => [
      h("a", {href: link([direction, "systems", row.system])}, row.system),
      row.mark && ` ${row.mark}`, row.control && h("span", {class: "chip"}, t("control"))]},
    ...metrics.map(metric => metricColumn(metric, rows)),
    {id: "flags", head: t("flags"), class: "flags", descending: true, value: row => Object.values(row.flags).reduce((a, b) => a + b, 0),
      cell: row => flagList(row.flags, "0")},
    textColumn("size"),
    ...(rows.some(row => row.licence) ? [textColumn("licence")] : []),
    {id: "speed", head: t("speed"), class: "number", descending: true, value: row => row.speed,
      cell: row => row.speed ? number(row.speed, 1) : "–"},
    textColumn("device"),
  ];
}

function setFacts() {
  const about = site();
  return [about.published, t("n segments", {n: about.segments}),
    ["zh", "en"].includes(about.original_language) && t("written in", {language: t(about.original_language)}),
    t("set", {sha: about.sha256.slice(0, 12)})].filter(Boolean).join(" · ");
}

/** Buttons that are pressed or not; `selected` is the set of ids of those that are. */
function chips(name, options, selected, onchange) {
  return h("div", {class: "chips", role: "group", "aria-label": name}, options.map(([id, label]) => {
    const button = h("button", {type: "button", class: "chip", "aria-pressed": String(selected.has(id)), "data-id": id, onclick: () => {
      selected.has(id) ? selected.delete(id) : selected.add(id);
      button.setAttribute("aria-pressed", String(selected.has(id)));
      onchange();
    }}, label);
    return button;
  }));
}

function boardView(direction, query) {
  const board = site().boards[direction];
  const selected = new Set(query.get("metrics")?.split(",") ?? board.metrics.map(metric => metric.id));
  const state = {
    filter: query.get("filter") || "", hide: Boolean(query.get("hide")),
    plotted: query.get("plot") || board.primary, sort: readSort(query.get("sort"), null),
  };
  const metricOf = id => board.metrics.find(metric => metric.id === id) || board.metrics[0];
  // The board's own order, until the reader sorts it.
  const boardOrder = {by: board.primary, descending: metricOf(board.primary).higher_is_better};
  let grid = h("div"), plots = h("div");

  const draw = () => {
    const filterWords = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = board.rows.filter(row => !(state.hide && row.control) &&
      filterWords.every(word => `${row.system} ${row.size || ""} ${row.licence || ""} ${row.device || ""}`.toLowerCase().includes(word)));
    const metrics = board.metrics.filter(metric => selected.has(metric.id));
    const sort = state.sort || boardOrder;
    grid = redraw(grid, scrolling(table({
      caption: t(direction), columns: boardColumns(direction, metrics, board.rows), rows, sort, sorted: !state.sort,
      rowClass: row => row.control ? "control" : null,
      onsort: sort => { state.sort = sort; draw(); },
    })));
    grid.classList.add("board");
    announce(t("systems shown", {n: rows.length, all: board.rows.length}));
    const metric = metricOf(state.plotted);
    const newPlots = h("div", {class: "plots"},
      h("section", {"aria-labelledby": "score-plot"}, h("h3", {id: "score-plot"}, t("score plot")), scorePlot(rows, metric)),
      h("section", {class: "speed", "aria-labelledby": "speed-plot"}, h("h3", {id: "speed-plot"}, t("speed plot")), speedPlot(rows, metric)));
    plots.replaceWith(newPlots);
    plots = newPlots;
    remember({
      filter: state.filter, hide: state.hide && "1", plot: state.plotted !== board.primary && state.plotted,
      metrics: selected.size < board.metrics.length && [...selected].join(","), sort: state.sort && writeSort(state.sort),
    });
  };

  const filter = h("input", {type: "search", id: "search", value: state.filter, placeholder: t("filter systems"),
    "aria-label": t("filter systems"), autocomplete: "off", oninput: debounced(() => { state.filter = filter.value; draw(); })});
  screen(site().title, [
    h("h1", {}, plain(site().title)),
    h("p", {class: "soft facts"}, setFacts()),
    site().head.introduction.map(paragraph => h("p", {class: "introduction"}, plain(paragraph))),
    h("div", {class: "bar"}, filter,
      chips(t("metrics"), board.metrics.map(metric => [metric.id, metric.label]), selected, draw),
      checkbox(t("hide controls"), state.hide, checked => { state.hide = checked; draw(); })),
    grid,
    board.missing.map(([system, reason]) => h("p", {class: "warning"}, plain(t("missing", {system, reason})))),
    h("div", {class: "bar plotted"}, choice(t("metric"), board.metrics.map(metric => [metric.id, metric.label]), state.plotted,
      id => { state.plotted = id; draw(); })),
    plots,
    h("section", {class: "notes", "aria-labelledby": "notes"},
      h("h2", {id: "notes"}, t("notes")),
      h("ul", {}, board.notes[language()].map(note => h("li", {}, plain(note)))),
      board.differences[language()].length > 0 && [h("h2", {}, t("differences")),
        h("p", {class: "soft"}, plain(board.differences_explanation[language()])),
        h("ul", {}, board.differences[language()].map(sentence => h("li", {}, plain(sentence))))],
      h("h2", {}, t("signatures")),
      h("dl", {class: "signatures"}, board.metrics.filter(metric => metric.signature).map(metric =>
        [h("dt", {}, metric.label), h("dd", {}, h("code", {}, metric.signature))]))),
  ]);
  draw();
}
