// Scores of parts of the set, and the map of all segments and systems.
"use strict";

const DIVISIONS = ["section", "kind", "length", "flags", "terms"];
const STEPS = 7; // colours of the map
const MAP_SEGMENTS = 100; // of a page of the map

const partName = (by, name) => by === "section" ? visible(name) : t(name);

async function partsView(direction, query) {
  const board = site().boards[direction];
  const ownVisit = visit;
  const all = await load(`${direction}/breakdown`);
  if (ownVisit !== visit) return;
  const known = DIVISIONS.filter(by => all[board.primary]?.[by]);
  const state = {metric: query.get("metric") || board.primary, by: query.get("by") || known[0]};
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];
  let body = h("div");

  const draw = () => {
    const parts = all[metric().id]?.[state.by] || [], short = shortNames(board.rows, 40);
    const half = ([, low, high]) => low === null ? "" : ` ± ${number((high - low) / 2, metric().decimals)}`;
    const columns = [
      {id: "system", head: t("system"), value: i => board.rows[i].system, cell: i =>
        h("a", {href: link([direction, "systems", board.rows[i].system]), title: board.rows[i].system}, short.get(board.rows[i].system))},
      ...parts.map(([name, count, scores], n) => ({id: `part-${n}`, head: `${partName(state.by, name)} (${count})`, class: "number", descending: true,
        value: i => scores[i]?.[0], cell: i => scores[i]
          ? [h("span", {class: "value"}, number(scores[i][0], metric().decimals)), h("span", {class: "half"}, half(scores[i]))] : "–"})),
    ];
    const grid = scrolling(table({caption: t("parts"), columns, rows: board.rows.map((_, i) => i), sorted: !state.sort,
      sort: state.sort || {by: ""}, rowClass: i => board.rows[i].control ? "control" : null,
      onsort: sort => { state.sort = sort; draw(); }}));
    const rows = () => [["system", "metric", state.by, "segments", "score", "low", "high"], ...board.rows.flatMap((row, i) =>
      parts.map(([name, count, scores]) => [row.system, metric().label, name, count, ...(scores[i] || ["", "", ""])]))];
    const newBody = h("div", {class: "board parts"}, grid,
      h("p", {class: "bar"}, saveButton("CSV", `${direction}.${state.by}.csv`, () => csv(rows()))));
    body.replaceWith(newBody);
    body = newBody;
    remember({metric: state.metric !== board.primary && state.metric, by: state.by !== known[0] && state.by});
  };
  screen(t("parts"), [
    h("h1", {}, t("parts"), h("span", {class: "soft"}, " ", t(direction))),
    h("p", {class: "soft legend-text"}, t("parts legend", {unit: t(`unit ${board.unit}`), units: t(`units ${board.unit}`)})),
    h("div", {class: "bar"},
      choice(t("metric"), board.metrics.map(({id, label}) => [id, label]), state.metric, id => { state.metric = id; draw(); }),
      choice(t("divided by"), known.map(by => [by, t(`by ${by}`)]), state.by, by => { state.by = by; state.sort = null; draw(); })),
    body,
  ]);
  draw();
}

async function mapView(direction, query) {
  const board = site().boards[direction];
  const ownVisit = visit;
  const {rows: segments} = await load(`${direction}/segments`);
  const state = {metric: query.get("metric") || board.primary, order: query.get("order") || "document",
    page: Math.max(0, (parseInt(query.get("page"), 10) || 1) - 1)};
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];
  let body = h("div");

  const draw = async () => {
    const scores = await load(`${direction}/score-${metric().id}`);
    if (ownVisit !== visit) return;
    const good = value => goodness(metric(), value), short = shortNames(board.rows, 30);
    const known = scores.flatMap((score, i) => score && !board.rows[i].control ? score.values.filter(Number.isFinite).map(good) : []).sort((a, b) => a - b);
    const cuts = Array.from({length: STEPS - 1}, (_, n) => known[Math.floor((n + 1) * known.length / STEPS)]);
    const step = value => cuts.filter(cut => good(value) >= cut).length;
    const {means} = segmentScores(direction, scores, -1);
    const places = segments.map((_, place) => place);
    if (state.order === "worst") places.sort((a, b) => good(means[a]) - good(means[b]));
    const pages = Math.ceil(places.length / MAP_SEGMENTS);
    state.page = Math.min(state.page, pages - 1);
    const shown = places.slice(state.page * MAP_SEGMENTS, (state.page + 1) * MAP_SEGMENTS);
    walk = {direction, order: places};
    const cell = (values, place) => Number.isFinite(values?.[place])
      ? h("td", {class: `q${step(values[place])}`, title: `${segments[place][0]}: ${score(values[place], metric())}`},
          h("span", {class: "visually-hidden"}, score(values[place], metric())))
      : h("td", {title: segments[place][0]}, h("span", {class: "visually-hidden"}, "–"));
    const grid = h("table", {}, h("caption", {class: "visually-hidden"}, t("map")),
      h("thead", {}, h("tr", {}, h("th", {scope: "col"}, t("system")), shown.map(place =>
        h("th", {scope: "col"}, h("a", {href: link([direction, "segments", segments[place][0]]), title: segments[place][0],
          "aria-label": segments[place][0]}, String(place + 1)))))),
      h("tbody", {}, board.rows.map((row, i) => h("tr", {class: row.control ? "control" : null},
        h("th", {scope: "row", title: row.system}, short.get(row.system)), shown.map(place => cell(scores[i]?.values, place)))),
      h("tr", {class: "mean"}, h("th", {scope: "row"}, t("mean without controls")), shown.map(place => cell(means, place)))));
    const lines = () => segments.map(([id], place) => ({id, metric: metric().label,
      scores: Object.fromEntries(board.rows.map((row, i) => [row.system, scores[i]?.values[place] ?? null]))}));
    const newBody = h("div", {class: "map"}, scrolling(grid),
      h("p", {class: "steps soft", "aria-hidden": "true"}, t("worst"), " ", Array.from({length: STEPS}, (_, n) => h("span", {class: `step q${n}`})), " ", t("best")),
      pager(state.page, pages, page => { state.page = page; attempt(draw()); }),
      h("p", {class: "bar"}, saveButton("JSONL", `${direction}.${metric().id}.jsonl`, () => jsonLines(lines()))));
    body.replaceWith(newBody);
    body = newBody;
    remember({metric: state.metric !== board.primary && state.metric, order: state.order !== "document" && state.order,
      page: state.page > 0 && state.page + 1});
  };
  const change = name => value => { Object.assign(state, {[name]: value, page: 0}); attempt(draw()); };
  screen(t("map"), [
    h("h1", {}, t("map"), h("span", {class: "soft"}, " ", t(direction))),
    h("p", {class: "soft legend-text"}, t("map legend")),
    h("div", {class: "bar"},
      choice(t("metric"), board.metrics.map(({id, label}) => [id, label]), state.metric, change("metric")),
      choice(t("order"), [["document", t("document order")], ["worst", t("worst first")]], state.order, change("order"))),
    body,
  ]);
  await draw();
}
