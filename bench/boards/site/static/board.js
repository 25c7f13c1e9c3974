// The board of a direction: the table, two plots and notes.
"use strict";


const scoreTexts = (row, metric) => row.score_texts[metric.id] || ["–", ""];

/** Score and half its interval, which is padded to the longest of its column, so that all ± are aligned. */
const scoreCell = (row, metric, widths = [0, 0]) => {
  const [value, half] = scoreTexts(row, metric).map((text, i) => text.padEnd(widths[i], "\u2007")); // a digit's width
  return [h("span", {class: "value"}, value), h("span", {class: "half"}, half)];
};

function metricColumn(metric, rows) {
  const widths = [0, 0];
  for (const row of rows) scoreTexts(row, metric).forEach((text, i) => { if (i) widths[i] = Math.max(widths[i], text.length); });
  return {
    id: metric.id, head: `${metric.label} ${metric.arrow}`, title: metric.signature, class: "number",
    descending: metric.higher_is_better,
    value: row => row.scores[metric.id]?.[0],
    cell: row => scoreCell(row, metric, widths),
  };
}

function boardColumns(direction, board, shown, ranked) {
  const rows = board.rows, short = shortNames(rows, 44);
  const textColumn = id => ({id, head: t(id), class: id === "device" ? null : "loose", value: row => row[id] || null,
    cell: row => plain(String(row[id] || "–"))});
  const system = {id: "system", head: t("system"), value: row => row.system, cell: row => [
      h("a", {href: link([direction, "systems", row.system]), title: row.system}, short.get(row.system)),
      row.mark && ` ${row.mark}`, row.control && h("span", {class: "chip"}, t("control"))]};
  const all = [
    {id: "rank", head: t("rank"), class: "number", title: t("rank by", {metric: ranked.label}), value: row => row.ranks[ranked.id]?.[0],
      cell: row => row.ranks[ranked.id] ? rankRange(row.ranks[ranked.id]) : "–"},
    ...board.metrics.map(metric => metricColumn(metric, rows)),
    {id: "flags", head: t("flags"), class: "flags", descending: true, value: row => Object.values(row.flags).reduce((a, b) => a + b, 0),
      cell: row => flagList(row.flags, "0")},
    ...faultMetrics(board).map(id => ({id: `${id}-faults`, head: columnLabel(board, `${id}-faults`), class: "flags", descending: true,
      value: row => Object.values(row.faults[id] || {}).reduce((a, b) => a + b, 0), cell: row => faultCounts(row, id).join(t("list separator")) || "0"})),
    textColumn("size"),
    textColumn("licence"),
    {id: "speed", head: t("speed"), class: "number", descending: true, value: row => row.speed,
      cell: row => row.speed ? number(row.speed, 1) : "–"},
    textColumn("device"),
  ];
  return [system, ...shown.map(id => all.find(column => column.id === id)).filter(Boolean)];
}

/** The columns that can be shown, in their order: those that a board shows first come first. */
const allColumns = board => [...new Set([...board.columns, ...board.metrics.map(({id}) => id), ...faultMetrics(board).map(id => `${id}-faults`), "size", "licence", "speed", "device"])];

function columnLabel(board, id) {
  const metric = board.metrics.find(metric => metric.id === id || `${metric.id}-faults` === id);
  return !metric ? t(id) : metric.id === id ? metric.label : t("faults of", {metric: metric.label});
}

/** A menu of columns; `shown` is the set of ids of those that are shown. */
function columnMenu(board, shown, onchange) {
  return h("details", {class: "menu"}, h("summary", {class: "button"}, t("columns")),
    h("div", {class: "menu-items"}, allColumns(board).map(id => {
      const box = h("input", {type: "checkbox", checked: shown.has(id), "data-id": id, onchange: () => {
        box.checked ? shown.add(id) : shown.delete(id);
        onchange();
      }});
      return h("label", {class: "tick"}, box, columnLabel(board, id));
    })));
}

function setFacts() {
  const about = site();
  return [about.published, t("n segments", {n: about.segments}),
    ["zh", "en"].includes(about.original_language) && t("written in", {language: t(about.original_language)}),
    t("set", {sha: about.sha256.slice(0, 12)})].filter(Boolean).join(" · ");
}

function boardView(direction, query) {
  const board = site().boards[direction];
  const selected = new Set(query.get("columns")?.split(",") ?? board.columns);
  const state = {
    filter: query.get("filter") || "", hide: Boolean(query.get("hide")),
    plotted: query.get("plot") || board.primary, sort: readSort(query.get("sort"), null),
  };
  const metricOf = id => board.metrics.find(metric => metric.id === id) || board.metrics[0];
  // The board's own order, until the reader sorts it.
  const boardOrder = {by: board.primary, descending: metricOf(board.primary).higher_is_better};
  const said = board.summary[language()];
  let grid = h("div"), plots = h("div");

  const ranked = board.rows.filter(row => row.ranks[board.primary]);
  const lastOfCluster = new Set(board.cluster_ends.map(count => ranked[count - 1]));

  const draw = () => {
    const isPlain = !state.sort && state.plotted === board.primary;
    const filterWords = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = board.rows.filter(row => !(state.hide && row.control) &&
      filterWords.every(word => `${row.system} ${row.size || ""} ${row.licence || ""} ${row.device || ""}`.toLowerCase().includes(word)));
    const shown = allColumns(board).filter(id => selected.has(id));
    const metric = metricOf(state.plotted);
    const sort = state.sort || boardOrder;
    grid = redraw(grid, scrolling(table({
      caption: t(direction), columns: boardColumns(direction, board, shown, metric), rows, sort, sorted: !state.sort,
      rowClass: row => [row.control && "control", isPlain && lastOfCluster.has(row) && "cluster-end"].filter(Boolean).join(" ") || null,
      onsort: sort => { state.sort = sort; draw(); },
    })));
    grid.classList.add("board");
    announce(t("systems shown", {n: rows.length, all: board.rows.length}));
    const newPlots = h("div", {class: "plots"},
      h("section", {"aria-labelledby": "score-plot"}, h("h3", {id: "score-plot"}, t("score plot")), scorePlot(rows, metric)),
      h("section", {class: "speed", "aria-labelledby": "speed-plot"}, h("h3", {id: "speed-plot"}, t("speed plot")), pointPlot(rows, metric, "speed")),
      rows.filter(row => sizeOf(row)).length > 1 && h("section", {class: "speed", "aria-labelledby": "size-plot"},
        h("h3", {id: "size-plot"}, t("size plot")), pointPlot(rows, metric, "size")));
    plots.replaceWith(newPlots);
    plots = newPlots;
    remember({
      filter: state.filter, hide: state.hide && "1", plot: state.plotted !== board.primary && state.plotted,
      columns: shown.join() !== board.columns.join() && (shown.join() || "none"), sort: state.sort && writeSort(state.sort),
    });
  };

  const filter = h("input", {type: "search", id: "search", value: state.filter, placeholder: t("filter systems"),
    "aria-label": t("filter systems"), autocomplete: "off", oninput: debounced(() => { state.filter = filter.value; draw(); })});
  screen(site().title, [
    isFolder() && h("p", {class: "crumbs"}, h("a", {href: "../../index.html"}, t("all sets"))),
    h("h1", {}, plain(site().title)),
    h("p", {class: "soft facts"}, setFacts()),
    site().head.introduction.map(paragraph => h("p", {class: "introduction"}, plain(paragraph))),
    said.length > 0 && h("section", {class: "lead", "aria-label": t("summary")},
      h("p", {}, h("strong", {}, plain(said[0])), plain(said.slice(1).map(text => t("sentence separator") + text).join(""))),
      copyButton(t("copy"), () => said.join(t("sentence separator")))),
    h("div", {class: "bar"}, filter, columnMenu(board, selected, draw),
      choice(t("ranked by"), board.metrics.map(metric => [metric.id, metric.label]), state.plotted, id => { state.plotted = id; draw(); }),
      checkbox(t("hide controls"), state.hide, checked => { state.hide = checked; draw(); })),
    grid,
    board.missing.map(([system, reason]) => h("p", {class: "warning"}, plain(t("missing", {system, reason})))),
    h("p", {class: "bar"}, saveButton("CSV", `${direction}.board.csv`, () => csv(boardTable(board)))),
    plots,
    h("section", {class: "notes", "aria-labelledby": "notes"},
      h("h2", {id: "notes"}, t("notes")),
      h("ul", {}, board.notes[language()].map(note => h("li", {}, plain(note)))),
      board.differences[language()].length > 0 && [h("h2", {}, t("differences")),
        h("p", {class: "soft"}, plain(asSentence(board.differences_explanation[language()]))),
        h("ul", {}, board.differences[language()].map(sentence => h("li", {}, plain(sentence))))],
      h("h2", {}, t("signatures")),
      h("dl", {class: "signatures"}, board.metrics.filter(metric => metric.signature).map(metric =>
        [h("dt", {}, metric.label), h("dd", {}, h("code", {}, metric.signature))]))),
  ]);
  draw();
}

const asSentence = text => text[0].toUpperCase() + text.slice(1) + t("stop");

/** All scores, intervals and ranks, as leaderboard.csv has them. */
const boardTable = board => [
  ["system", "control", ...board.metrics.flatMap(({id}) => [id, `${id}_low`, `${id}_high`, `${id}_rank_best`, `${id}_rank_worst`]), "flags", "size", "licence", "speed", "device"],
  ...board.rows.map(row => [row.system, row.control, ...board.metrics.flatMap(({id}) => {
    const [value = "", low = "", high = ""] = row.scores[id] || [];
    return [value, low, high, ...(row.ranks[id] || ["", ""])];
  }), Object.entries(row.flags).map(([flag, count]) => `${flag}=${count}`).join(" "), row.size, row.licence, row.speed, row.device]),
];
