// One segment: its texts, and what each system made of it.
"use strict";

const termsOf = (terms, found, side) => found.flatMap(([term]) => terms[term][side]);

/** Everything on one segment: {id, section, source, reference, texts, more, spans, terms, allTerms}. */
async function segmentData(direction, place) {
  const {rows, terms} = await load(`${direction}/segments`);
  const {part} = site();
  const [id, kind, section, source, reference] = rows[place];
  const loaded = (await load(`${direction}/part-${Math.floor(place / part)}`))[place % part];
  const [lang] = sides(direction);
  const first = ([term]) => occurrences(source, terms[term][0], lang)[0]?.start ?? source.length;
  return {id, kind, section, source, reference, allTerms: terms, ...loaded, terms: loaded.terms.toSorted((a, b) => first(a) - first(b))};
}

/** Marks of a hypothesis: differences from `other`, errors that metrics see. With the reason where there are no differences. */
function hypothesisMarks(segment, system, other, withMissing) {
  const text = segment.texts[system];
  const found = text ? differences(other, text) : {marks: [], alike: 1};
  const why = !found ? t("too long") : found.alike < ALIKE ? t("nothing in common") : "";
  const marks = why ? [] : found.marks.filter(mark => mark.gone === undefined || withMissing);
  for (const [metric, start, end, severity, confidence] of segment.spans[system] || [])
    marks.push({start, end, class: `error ${["minor", "major", "critical"].includes(severity) ? severity : "major"}`,
      title: `${metric}: ${t(severity)}, ${t("confidence", {n: confidence})}`});
  return {marks, why};
}

/** What is to be said of a hypothesis besides its text. */
function about(segment, system, why, lang) {
  const more = segment.more[system] || {};
  const missed = segment.terms.filter(([, hits]) => hits[system] === "0").map(([term]) => segment.allTerms[term][1][0]);
  return [
    h("div", {class: "about"},
      (more.flags || []).map(flag => h("span", {class: "chip flag"}, t(flag))),
      more.alone && h("span", {class: "chip", title: t("fell back said")}, t("fell back")),
      segment.terms.length > 0 && h("span", {class: "soft"}, t("terms rendered",
        {n: segment.terms.length - missed.length, of: segment.terms.length}),
        missed.length > 0 && ["; ", t("term misses", {terms: ""}), h("span", {lang: tag(lang)}, missed.join(lang === "zh" ? "、" : ", "))]),
      why && h("span", {class: "soft"}, why)),
    more.error && h("p", {class: "warning"}, `${t("error")}: `, plain(more.error)),
    more.raw && h("details", {}, h("summary", {}, t("raw")), passage(more.raw, lang)),
  ];
}

/** `scores`: the loaded score files, parallel to `metrics`. */
function segmentScore(metric, loaded, system, place) {
  const of = loaded[system];
  if (!of) return "–";
  const remarks = Object.entries(of.remarks).filter(([, places]) => places.includes(place)).map(([remark]) => t(remark));
  return [score(of.values[place], metric), remarks.length > 0 && h("span", {class: "remark"}, remarks.join(", "))];
}

function termTable(segment, board, from, to) {
  if (!segment.terms.length) return null;
  const rows = segment.terms.map(([term, hits]) => ({term: segment.allTerms[term], hits}));
  return h("section", {class: "terms"}, h("h2", {}, t("terms")), scrolling(table({caption: t("terms"), rows, sort: {}, columns: [
    {id: "source", head: t("source"), cell: row => h("span", {lang: tag(from)}, row.term[0][0])},
    {id: "official", head: t("official"), cell: row => h("span", {lang: tag(to)}, row.term[1][0], row.term[1].length > 1 &&
      h("span", {class: "soft"}, ` | ${row.term[1].slice(1).join(" | ")}`))},
    {id: "by", head: t("rendered by"), cell: row => {
      const by = board.rows.filter((_, i) => row.hits[i] === "1");
      return h("span", {title: by.map(({system}) => system).join(", ")}, t("systems of", {n: by.length, of: board.rows.length}),
        by.length > 0 && by.length <= 6 && h("span", {class: "soft"}, ` ${by.map(({system}) => system).join(", ")}`));
    }},
  ]})));
}

async function segmentView(direction, id, query) {
  const board = site().boards[direction];
  const mine = visit;
  const {rows} = await load(`${direction}/segments`);
  const place = rows.findIndex(row => row[0] === id);
  if (place < 0) return notHere(id);
  const [segment, ...scores] = await Promise.all([segmentData(direction, place),
    ...board.metrics.map(metric => load(`${direction}/score-${metric.id}`))]);
  if (mine !== visit) return;
  const [from, to] = sides(direction);
  const state = {sort: readSort(query.get("sort"), null), hide: Boolean(query.get("hide")), missing: Boolean(query.get("missing"))};

  // The way to the neighbours keeps these settings.
  const order = walk?.direction === direction && walk.order.includes(place) ? walk.order : rows.map((_, i) => i);
  const at = order.indexOf(place);
  const kept = () => Object.fromEntries(address().query);
  const step = by => { if (order[at + by] !== undefined) location.hash = link([direction, "segments", rows[order[at + by]][0]], kept()); };
  keys.step = keys.turn = step;
  keys.up = () => { location.hash = lists[direction] || link([direction, "segments"]); };

  let list = h("div");
  const columns = [
    {id: "system", head: t("system"), class: "name", value: system => board.rows[system].system, cell: system => [
      h("a", {href: link([direction, "systems", board.rows[system].system])}, board.rows[system].system),
      board.rows[system].control && h("span", {class: "chip"}, t("control"))]},
    {id: "hypothesis", head: t("hypothesis"), class: "said", cell: system => {
      const {marks, why} = hypothesisMarks(segment, system, segment.reference, state.missing);
      return [passage(segment.texts[system], to, marks), about(segment, system, why, to)];
    }},
    ...board.metrics.map((metric, m) => ({
      id: metric.id, head: metric.label, class: "number", descending: metric.higher, title: t(metric.higher ? "higher" : "lower"),
      value: system => scores[m][system]?.values[place], cell: system => segmentScore(metric, scores[m], system, place),
    })),
  ];
  const draw = () => {
    const systems = board.rows.map((_, system) => system).filter(system => !(state.hide && board.rows[system].control));
    list = redraw(list, scrolling(table({
      caption: t("hypothesis"), columns, rows: systems, sort: state.sort || {}, sorted: !state.sort,
      rowClass: system => board.rows[system].control ? "control" : null,
      onsort: sort => { state.sort = sort; draw(); },
    })));
    list.classList.add("hypotheses");
    remember({sort: state.sort && writeSort(state.sort), hide: state.hide && "1", missing: state.missing && "1"});
  };

  const given = (name, text, lang, side) => h("section", {}, h("h2", {}, name),
    passage(text, lang, occurrences(text, termsOf(segment.allTerms, segment.terms, side), lang, {class: "term", title: t("terms")})));
  screen(id, [
    h("div", {class: "walk"},
      h("p", {class: "crumbs"}, h("a", {href: lists[direction] || link([direction, "segments"])}, t("segments")), " / ",
        plain(t("section", {name: segment.section}))),
      h("nav", {class: "pager", "aria-label": t("segments")},
        h("button", {type: "button", disabled: at === 0, onclick: () => step(-1)}, "← ", h("kbd", {}, "k"), h("span", {class: "unseen"}, t("previous"))),
        h("span", {class: "soft"}, t("position", {n: at + 1, of: order.length})),
        h("button", {type: "button", disabled: at + 1 >= order.length, onclick: () => step(1)}, h("kbd", {}, "j"), " →", h("span", {class: "unseen"}, t("next"))))),
    h("h1", {class: "id"}, id, h("span", {class: "soft"}, " ", t(direction))),
    h("div", {class: `given ${segment.kind}`},
      given(t("source"), segment.source, from, 0), given(t("reference"), segment.reference, to, 1)),
    h("div", {class: "bar"},
      tick(t("show missing"), state.missing, checked => { state.missing = checked; draw(); }),
      board.rows.some(row => row.control) && tick(t("hide controls"), state.hide, checked => { state.hide = checked; draw(); }),
      h("span", {class: "soft legend"}, t("marks said"))),
    list,
    termTable(segment, board, from, to),
  ]);
  draw();
}
