// The board of a direction: the table, two plots, and what a reader must know.
"use strict";

const rank = (row, metric) => row.ranks[metric.id] ? ` (${row.ranks[metric.id]})` : "";

/** Score, half of its interval, rank. Both are filled up to the longest of their column, so that all ± stand below each other. */
const scoreCell = (row, metric, rows = [row]) => {
  const padded = (text, of) => text.padEnd(Math.max(...rows.map(other => of(other).length)), "\u2007"); // a digit's width
  const shown = other => other.shown[metric.id] || ["–", ""];
  return [
    h("span", {class: "value"}, shown(row)[0]),
    h("span", {class: "half"}, padded(shown(row)[1], other => shown(other)[1])),
    h("span", {class: "rank", title: t("rank")}, padded(rank(row, metric), other => rank(other, metric))),
  ];
};

function metricColumn(metric, rows) {
  return {
    id: metric.id, head: `${metric.label} ${metric.higher ? "↑" : "↓"}`, title: metric.signature, class: "number",
    descending: metric.higher,
    value: row => row.scores[metric.id]?.[0],
    cell: row => scoreCell(row, metric, rows),
  };
}

function boardColumns(direction, metrics, rows) {
  const text = (id, of) => ({id, head: t(id), class: id === "device" ? null : "loose", value: row => of(row) || null, cell: row => plain(String(of(row) || "–"))});
  return [
    {id: "system", head: t("system"), value: row => row.system, cell: row => [
      h("a", {href: link([direction, "systems", row.system])}, row.system),
      row.mark && ` ${row.mark}`, row.control && h("span", {class: "chip"}, t("control"))]},
    ...metrics.map(metric => metricColumn(metric, rows)),
    {id: "flags", head: t("flags"), class: "flags", descending: true, value: row => Object.values(row.flags).reduce((a, b) => a + b, 0),
      cell: row => flagList(row.flags, "0")},
    text("size", row => row.size),
    ...(rows.some(row => row.licence) ? [text("licence", row => row.licence)] : []),
    {id: "speed", head: t("speed"), class: "number", descending: true, value: row => row.speed,
      cell: row => row.speed ? number(row.speed, 1) : "–"},
    text("device", row => row.device),
  ];
}

function setFacts() {
  const about = site();
  return [about.published, t("n segments", {n: about.segments}),
    ["zh", "en"].includes(about.original) && t("written in", {language: t(about.original)}),
    t("set", {sha: about.sha256.slice(0, 12)})].filter(Boolean).join(" · ");
}

/** Buttons that are pressed or not; `on` is the set of ids. */
function chips(name, options, on, onchange) {
  return h("div", {class: "chips", role: "group", "aria-label": name}, options.map(([id, label]) => {
    const button = h("button", {type: "button", class: "chip", "aria-pressed": String(on.has(id)), "data-id": id, onclick: () => {
      on.has(id) ? on.delete(id) : on.add(id);
      button.setAttribute("aria-pressed", String(on.has(id)));
      onchange();
    }}, label);
    return button;
  }));
}

function boardView(direction, query) {
  const board = site().boards[direction];
  const on = new Set(query.get("metrics")?.split(",") ?? board.metrics.map(metric => metric.id));
  const state = {
    filter: query.get("filter") || "", hide: Boolean(query.get("hide")),
    plotted: query.get("plot") || board.primary, sort: readSort(query.get("sort"), null),
  };
  const metricOf = id => board.metrics.find(metric => metric.id === id) || board.metrics[0];
  // As the board is sorted, until somebody sorts it.
  const natural = {by: board.primary, descending: metricOf(board.primary).higher};
  let grid = h("div"), plots = h("div");

  const draw = () => {
    const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = board.rows.filter(row => !(state.hide && row.control) &&
      words.every(word => `${row.system} ${row.size || ""} ${row.licence || ""} ${row.device}`.toLowerCase().includes(word)));
    const metrics = board.metrics.filter(metric => on.has(metric.id));
    const sort = state.sort || natural;
    grid = redraw(grid, scrolling(table({
      caption: t(direction), columns: boardColumns(direction, metrics, board.rows), rows, sort, sorted: !state.sort,
      rowClass: row => row.control ? "control" : null,
      onsort: now => { state.sort = now; draw(); },
    })));
    grid.classList.add("board");
    say(t("systems shown", {n: rows.length, all: board.rows.length}));
    const metric = metricOf(state.plotted);
    const drawn = h("div", {class: "plots"},
      h("section", {"aria-labelledby": "score-plot"}, h("h3", {id: "score-plot"}, t("score plot")), scorePlot(rows, metric)),
      h("section", {class: "speed", "aria-labelledby": "speed-plot"}, h("h3", {id: "speed-plot"}, t("speed plot")), speedPlot(rows, metric)));
    plots.replaceWith(drawn);
    plots = drawn;
    remember({
      filter: state.filter, hide: state.hide && "1", plot: state.plotted !== board.primary && state.plotted,
      metrics: on.size < board.metrics.length && [...on].join(","), sort: state.sort && writeSort(state.sort),
    });
  };

  const filter = h("input", {type: "search", id: "search", value: state.filter, placeholder: t("filter systems"),
    "aria-label": t("filter systems"), autocomplete: "off", oninput: settled(() => { state.filter = filter.value; draw(); })});
  screen(site().title, [
    h("h1", {}, plain(site().title)),
    h("p", {class: "soft facts"}, setFacts()),
    h("div", {class: "bar"}, filter,
      chips(t("metrics"), board.metrics.map(metric => [metric.id, metric.label]), on, draw),
      tick(t("hide controls"), state.hide, checked => { state.hide = checked; draw(); })),
    grid,
    board.missing.map(([system, reason]) => h("p", {class: "warning"}, plain(t("missing", {system, reason})))),
    h("div", {class: "bar plotted"}, choice(t("metric"), board.metrics.map(metric => [metric.id, metric.label]), state.plotted,
      id => { state.plotted = id; draw(); })),
    plots,
    h("section", {class: "notes", "aria-labelledby": "notes"},
      h("h2", {id: "notes"}, t("notes")),
      h("ul", {}, board.notes.map(note => h("li", {lang: "en"}, plain(note)))),
      board.differences.length > 0 && [h("h2", {}, t("differences")),
        h("ul", {}, board.differences.map(line => h("li", {lang: "en"}, plain(line))))],
      h("h2", {}, t("signatures")),
      h("dl", {class: "signatures"}, board.metrics.filter(metric => metric.signature).map(metric =>
        [h("dt", {}, metric.label), h("dd", {}, h("code", {}, metric.signature))]))),
  ]);
  draw();
}
