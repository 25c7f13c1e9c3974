// The list of segments: search, filter, sort, page by page.
"use strict";

const PAGE = 50;
let walk = null; // {direction, order}: how the reader goes from segment to segment: as last listed

/** One value a segment: a system's score, or the mean and spread of all systems but the controls. */
function perSegment(direction, values, system) {
  const rows = site().boards[direction].rows;
  if (system >= 0) return {mean: values[system]?.values ?? [], spread: []};
  const used = values.filter((score, i) => score && !rows[i].control).map(score => score.values);
  const several = used.length ? used : values.filter(Boolean).map(score => score.values);
  const mean = [], spread = [];
  for (let i = 0; i < site().segments; i++) {
    let sum = 0, low = Infinity, high = -Infinity;
    for (const of of several) { sum += of[i]; low = Math.min(low, of[i]); high = Math.max(high, of[i]); }
    mean.push(sum / several.length);
    spread.push(high - low);
  }
  return {mean, spread};
}

/** Finds `text` in ids, sources and references at once, then in the hypotheses, part by part. `found(hits, done, of)` is called
 *  as it goes; hits: place -> null, or {system, at} for a hit in a hypothesis. Stops where `current()` is false. */
async function search(direction, rows, text, system, found, current) {
  const wanted = text.toLowerCase();
  const hits = new Map();
  rows.forEach(([id, , , source, reference], place) => {
    if ([id, source, reference].some(of => of.toLowerCase().includes(wanted))) hits.set(place, null);
  });
  const {part, segments} = site();
  const parts = Math.ceil(segments / part);
  for (let n = 0; n < parts; n++) {
    found(hits, n, parts);
    const loaded = await load(`${direction}/part-${n}`);
    if (!current()) return;
    loaded.forEach(({texts}, i) => {
      if (hits.has(n * part + i)) return;
      for (let s = 0; s < texts.length; s++) {
        if (system >= 0 && s !== system) continue;
        const at = texts[s].toLowerCase().indexOf(wanted);
        if (at >= 0) { hits.set(n * part + i, {system: s, text: texts[s].slice(Math.max(0, at - 40), at + wanted.length + 60)}); break; }
      }
    });
  }
  found(hits, parts, parts);
}

async function segmentsView(direction, query) {
  const board = site().boards[direction];
  const mine = visit;
  const {rows} = await load(`${direction}/segments`);
  const [from, to] = sides(direction);
  const state = {
    search: query.get("search") || "", system: query.get("system") || "", flag: query.get("flag") || "",
    metric: query.get("metric") || board.primary, page: Math.max(0, (parseInt(query.get("page"), 10) || 1) - 1),
    sort: readSort(query.get("sort"), {by: "segment", descending: false}),
  };
  let hits = null, searching = 0, values = {mean: [], spread: []};
  let list = h("div");
  const progress = h("p", {class: "soft", "aria-live": "polite"});
  const system = () => board.rows.findIndex(row => row.system === state.system);
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];

  const draw = () => {
    const places = rows.map((_, place) => place)
      .filter(place => (!hits || hits.has(place)) && (!state.flag || rows[place][5][state.flag]));
    const wanted = state.search.trim();
    const lit = text => marked(text, wanted ? occurrences(text, [wanted], "any", {class: "hit"}) : []);
    const clip = (text, language) => h("div", {class: "clip", lang: tag(language), dir: "auto"}, lit(text.slice(0, 600)));
    const columns = [
      {id: "segment", head: t("segment"), value: place => place, cell: place =>
        h("a", {class: "row-link", href: link([direction, "segments", rows[place][0]])}, rows[place][0])},
      {id: "source", head: t("source"), cell: place => clip(rows[place][3], from)},
      {id: "reference", head: t("reference"), cell: place => [clip(rows[place][4], to), hits?.get(place) &&
        h("div", {class: "clip soft"}, t("in system", {system: board.rows[hits.get(place).system].system}), " ",
          h("span", {lang: tag(to)}, "…", lit(hits.get(place).text), "…"))]},
      {id: "mean", head: `${metric().label} ${system() < 0 ? t("mean") : ""}`.trim(), class: "number", value: place => values.mean[place],
        descending: !metric().higher, cell: place => score(values.mean[place], metric())},
      system() < 0 && {id: "spread", head: t("spread"), class: "number", descending: true, value: place => values.spread[place],
        cell: place => score(values.spread[place], metric())},
      {id: "flags", head: t("flags"), descending: true, value: place => Object.values(rows[place][5]).reduce((a, b) => a + b, 0),
        cell: place => flagList(rows[place][5], h("span", {class: "soft"}, "–"))},
    ].filter(Boolean);
    const sorted = ordered(places, columns, state.sort);
    const pages = Math.max(1, Math.ceil(sorted.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    walk = {direction, order: sorted};
    const go = page => { state.page = page; draw(); scrollTo(0, 0); };
    list = redraw(list, h("div", {},
      sorted.length ? scrolling(table({
        caption: t("segments"), columns, rows: sorted.slice(state.page * PAGE, (state.page + 1) * PAGE), sort: state.sort, sorted: true,
        rowClass: place => rows[place][1], onsort: sort => { Object.assign(state, {sort, page: 0}); draw(); },
      })) : h("p", {class: "soft"}, t("nothing")),
      pager(state.page, pages, go)));
    list.firstChild.classList.add("list");
    remember({
      search: state.search, system: state.system, flag: state.flag, metric: state.metric !== board.primary && state.metric,
      page: state.page > 0 && state.page + 1, sort: writeSort(state.sort) !== "segment.up" && writeSort(state.sort),
    });
  };
  const look = async () => {
    const this_ = ++searching;
    hits = null;
    progress.textContent = "";
    if (!state.search.trim()) return draw();
    await search(direction, rows, state.search.trim(), system(), (found, done, of) => {
      hits = found;
      progress.textContent = [t("found", {n: found.size}), done < of && t("searching", {done, of})].filter(Boolean).join(" · ");
      draw();
    }, () => this_ === searching && mine === visit);
  };
  const weigh = async () => {
    const wanted = state.metric;
    const loaded = await load(`${direction}/score-${metric().id}`);
    if (mine !== visit || wanted !== state.metric) return;
    values = perSegment(direction, loaded, system());
    draw();
  };

  const input = h("input", {type: "search", id: "search", value: state.search, placeholder: t("search"), "aria-label": t("search"),
    autocomplete: "off", oninput: settled(() => { Object.assign(state, {search: input.value, page: 0}); return attempt(look()); })});
  const flags = [...new Set(rows.flatMap(row => Object.keys(row[5])))].sort();
  if (mine !== visit) return;
  screen(t("segments"), [
    h("h1", {}, t("segments"), h("span", {class: "soft"}, " ", t(direction))),
    h("div", {class: "bar"}, input,
      choice(t("metric"), board.metrics.map(({id, label}) => [id, label]), state.metric, id => { state.metric = id; attempt(weigh()); }),
      choice(t("of system"), [["", t("all systems")], ...board.rows.map(row => [row.system, row.system])], state.system,
        name => { Object.assign(state, {system: name, page: 0}); attempt(weigh()); if (state.search) attempt(look()); }),
      flags.length > 0 && choice(t("with flag"), [["", t("any")], ...flags.map(flag => [flag, t(flag)])], state.flag,
        flag => { Object.assign(state, {flag, page: 0}); draw(); })),
    progress, list,
  ]);
  keys.step = by => {
    const links = [...list.querySelectorAll(".row-link")];
    links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement) + by))]?.focus();
  };
  draw();
  await Promise.all([weigh(), look()]);
}
