// The list of segments: search, filter, sort, page by page.
"use strict";

const SEGMENTS_PER_PAGE = 50;
let walk = null; // {direction, order}: the order in which the reader goes from segment to segment: the latest list's

/** For each segment the score of one system, or the mean and range over all systems without controls; NaN without scores. */
function segmentScores(direction, scores, system) {
  const rows = site().boards[direction].rows;
  if (system >= 0) return {means: scores[system]?.values ?? [], ranges: []};
  const scored = scores.filter((values, i) => values && !rows[i].control);
  const systems = scored.length ? scored : scores.filter(Boolean);
  const means = [], ranges = [];
  for (let place = 0; place < site().segments; place++) {
    let sum = 0, count = 0, low = Infinity, high = -Infinity;
    for (const {values} of systems) {
      const value = values[place];
      if (value === null) continue;
      sum += value;
      count++;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    means.push(sum / count);
    ranges.push(count ? high - low : NaN);
  }
  return {means, ranges};
}

/** Searches ids, sources and references at once, then hypotheses file by file. `onprogress(hits, done, files)` is called on the
 *  way; hits: place -> null, or {system, text} for a hit in a hypothesis. Stops when `isCurrent()` is false. */
async function search(direction, rows, query, system, onprogress, isCurrent) {
  const lowerQuery = query.toLowerCase();
  const hits = new Map();
  rows.forEach(([id, , , source, reference], place) => {
    if ([id, source, reference].some(text => text.toLowerCase().includes(lowerQuery))) hits.set(place, null);
  });
  const {segments_per_file: perFile, segments} = site();
  const files = Math.ceil(segments / perFile);
  for (let file = 0; file < files; file++) {
    onprogress(hits, file, files);
    const hypotheses = await load(`${direction}/hypotheses-${file}`);
    if (!isCurrent()) return;
    hypotheses.forEach(({texts}, i) => {
      const place = file * perFile + i;
      if (hits.has(place)) return;
      for (let n = 0; n < texts.length; n++) {
        if (system >= 0 && n !== system) continue;
        const start = texts[n].toLowerCase().indexOf(lowerQuery);
        if (start < 0) continue;
        hits.set(place, {system: n, text: texts[n].slice(Math.max(0, start - 40), start + lowerQuery.length + 60)});
        break;
      }
    });
  }
  onprogress(hits, files, files);
}

async function segmentsView(direction, query) {
  const board = site().boards[direction];
  const ownVisit = visit;
  const {rows} = await load(`${direction}/segments`);
  const [from, to] = sides(direction);
  const state = {
    search: query.get("search") || "", system: query.get("system") || "", flag: query.get("flag") || "",
    metric: query.get("metric") || board.primary, page: Math.max(0, (parseInt(query.get("page"), 10) || 1) - 1),
    sort: readSort(query.get("sort"), {by: "segment", descending: false}),
  };
  let hits = null, searchNumber = 0, scores = {means: [], ranges: []};
  let list = h("div");
  const progress = h("p", {class: "soft", "aria-live": "polite"});
  const system = () => board.rows.findIndex(row => row.system === state.system);
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];

  const draw = () => {
    const places = rows.map((_, place) => place)
      .filter(place => (!hits || hits.has(place)) && (!state.flag || rows[place][5][state.flag]));
    const phrase = state.search.trim();
    const highlighted = text => marked(text, phrase ? occurrences(text, [phrase], "any", {class: "hit"}) : []);
    const clip = (text, lang) => h("div", {class: "clip", lang: languageTag(lang), dir: "auto"}, highlighted(text.slice(0, 600)));
    const columns = [
      {id: "segment", head: t("segment"), value: place => place, cell: place =>
        h("a", {class: "row-link", href: link([direction, "segments", rows[place][0]])}, rows[place][0])},
      {id: "source", head: t("source"), cell: place => clip(rows[place][3], from)},
      {id: "reference", head: t("reference"), cell: place => [clip(rows[place][4], to), hits?.get(place) &&
        h("div", {class: "clip soft"}, t("in system", {system: board.rows[hits.get(place).system].system}), " ",
          h("span", {lang: languageTag(to)}, "…", highlighted(hits.get(place).text), "…"))]},
      {id: "mean", head: `${metric().label} ${system() < 0 ? t("mean") : ""}`.trim(), class: "number",
        value: place => scores.means[place], descending: !metric().higher_is_better, cell: place => score(scores.means[place], metric())},
      system() < 0 && {id: "spread", head: t("range"), class: "number", descending: true, value: place => scores.ranges[place],
        cell: place => score(scores.ranges[place], metric())},
      {id: "flags", head: t("flags"), descending: true, value: place => Object.values(rows[place][5]).reduce((a, b) => a + b, 0),
        cell: place => flagList(rows[place][5], h("span", {class: "soft"}, "–"))},
    ].filter(Boolean);
    const sorted = ordered(places, columns, state.sort);
    const pages = Math.max(1, Math.ceil(sorted.length / SEGMENTS_PER_PAGE));
    state.page = Math.min(state.page, pages - 1);
    walk = {direction, order: sorted};
    const openPage = page => { state.page = page; draw(); scrollTo(0, 0); };
    list = redraw(list, h("div", {},
      sorted.length ? scrolling(table({
        caption: t("segments"), columns, rows: sorted.slice(state.page * SEGMENTS_PER_PAGE, (state.page + 1) * SEGMENTS_PER_PAGE),
        sort: state.sort, sorted: true, rowClass: place => rows[place][1],
        onsort: sort => { Object.assign(state, {sort, page: 0}); draw(); },
      })) : h("p", {class: "soft"}, t("nothing")),
      pager(state.page, pages, openPage)));
    list.firstChild.classList.add("list");
    remember({
      search: state.search, system: state.system, flag: state.flag, metric: state.metric !== board.primary && state.metric,
      page: state.page > 0 && state.page + 1, sort: writeSort(state.sort) !== "segment.up" && writeSort(state.sort),
    });
  };
  const updateHits = async () => {
    const ownSearch = ++searchNumber;
    hits = null;
    progress.textContent = "";
    if (!state.search.trim()) return draw();
    await search(direction, rows, state.search.trim(), system(), (newHits, done, all) => {
      hits = newHits;
      progress.textContent = [t("n found", {n: hits.size}), done < all && t("searching", {done, all})].filter(Boolean).join(" · ");
      draw();
    }, () => ownSearch === searchNumber && ownVisit === visit);
  };
  const updateScores = async () => {
    const requestedMetric = state.metric;
    const scoreFile = await load(`${direction}/score-${metric().id}`);
    if (ownVisit !== visit || requestedMetric !== state.metric) return;
    scores = segmentScores(direction, scoreFile, system());
    draw();
  };

  const input = h("input", {type: "search", id: "search", value: state.search, placeholder: t("search"), "aria-label": t("search"),
    autocomplete: "off", oninput: debounced(() => { Object.assign(state, {search: input.value, page: 0}); return attempt(updateHits()); })});
  const flags = [...new Set(rows.flatMap(row => Object.keys(row[5])))].sort();
  if (ownVisit !== visit) return;
  screen(t("segments"), [
    h("h1", {}, t("segments"), h("span", {class: "soft"}, " ", t(direction))),
    h("div", {class: "bar"}, input,
      choice(t("metric"), board.metrics.map(({id, label}) => [id, label]), state.metric, id => { state.metric = id; attempt(updateScores()); }),
      choice(t("scores of"), [["", t("all systems")], ...board.rows.map(row => [row.system, row.system])], state.system,
        name => { Object.assign(state, {system: name, page: 0}); attempt(updateScores()); if (state.search) attempt(updateHits()); }),
      flags.length > 0 && choice(t("with flag"), [["", t("any")], ...flags.map(flag => [flag, t(flag)])], state.flag,
        flag => { Object.assign(state, {flag, page: 0}); draw(); })),
    progress, list,
  ]);
  keys.step = distance => {
    const links = [...list.querySelectorAll(".row-link")];
    links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement) + distance))]?.focus();
  };
  draw();
  await Promise.all([updateScores(), updateHits()]);
}
