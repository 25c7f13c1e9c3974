// One segment: its texts, and the translation of each system.
"use strict";

const termForms = (terms, segmentTerms, side) => segmentTerms.flatMap(([term]) => terms[term][side]);

/** Everything about one segment: {id, kind, section, source, reference, texts, details, spans, terms, diffs, allTerms}. */
async function segmentData(direction, place) {
  const {segments_per_file: perFile} = site();
  const file = Math.floor(place / perFile);
  const [{rows, terms}, hypotheses, diffs] = await Promise.all(
    ["segments", `hypotheses-${file}`, `diffs-${file}`].map(name => load(`${direction}/${name}`)));
  const [id, kind, section, source, reference] = rows[place];
  const segment = hypotheses[place % perFile];
  const [lang] = sides(direction);
  const firstOccurrence = ([term]) => occurrences(source, terms[term][0], lang)[0]?.start ?? source.length;
  return {id, kind, section, source, reference, ...segment, diffs: diffs[place % perFile], allTerms: terms,
    terms: segment.terms.toSorted((a, b) => firstOccurrence(a) - firstOccurrence(b))};
}

/** Marks of a hypothesis: `changes` against `other`, what moved, and errors that metrics marked. `changes`: see `_diff` in data.py.
 *  {marks, reason}: why differences are not highlighted, or "". */
function hypothesisMarks(segment, system, changes, other, showMissing) {
  const reason = typeof changes === "string" ? t(changes) : "";
  const [changed = [], moved = []] = reason ? [] : changes;
  const marks = changed.flatMap(([start, end, otherStart, otherEnd]) => [
    end > start && {start, end, class: "added"},
    showMissing && otherEnd > otherStart && {start, missing: other.slice(otherStart, otherEnd)},
  ].filter(Boolean));
  for (const [start, end] of moved) marks.push({start, end, class: "moved", title: t("moved")});
  for (const [metric, start, end, severity, confidence, category] of segment.spans[system] || [])
    marks.push({start, end, class: `error ${["minor", "major", "critical"].includes(severity) ? severity : "major"}`,
      title: `${metric}: ${category ? faultWords(category) : `${t(severity)}, ${t("confidence", {n: confidence})}`}`});
  return {marks, reason: segment.texts[system] ? reason : ""};
}

/** What else is known about a hypothesis: flags, terms, error, raw response. `reason`: see `hypothesisMarks`; `lost`: `faultsAt`. */
function hypothesisFacts(segment, system, reason, lang, lost) {
  const details = segment.details[system] || {};
  const missing = segment.terms.filter(([, hits]) => hits[system] === "0").map(([term]) => segment.allTerms[term][1][0]);
  const names = lost.filter(({kind}) => kind === "name").map(({text}) => text.replace(/…$/, ""));
  const named = missing.filter(term => !names.some(name => term.startsWith(name))); // the others stand among the faults
  return [
    h("div", {class: "about"},
      (details.flags || []).map(flag => h("span", {class: "chip flag"}, t(flag))),
      details.fell_back && h("span", {class: "chip", title: t("fell back reason")}, t("fell back")),
      segment.terms.length > 0 && h("span", {class: "soft"},
        t("terms rendered", {n: segment.terms.length - missing.length, all: segment.terms.length}),
        named.length > 0 && [t("clause separator"), t("missing terms", {terms: ""}),
          h("span", {lang: languageTag(lang)}, named.join(lang === "zh" ? "、" : ", "))]),
      reason && h("span", {class: "soft"}, reason)),
    faultList(lost, lang),
    details.error && h("p", {class: "warning"}, `${t("error")}: `, plain(details.error)),
    details.raw && h("details", {}, h("summary", {}, t("raw")), passage(details.raw, lang)),
  ];
}

/** The score of a segment with its remarks. `scores`: a loaded score file. */
function segmentScore(metric, scores, system, place) {
  if (!scores[system]) return "–";
  const {values, remarks} = scores[system];
  const texts = Object.entries(remarks).filter(([, places]) => places.includes(place)).map(([remark]) => t(remark));
  return [score(values[place], metric), texts.length > 0 && h("span", {class: "remark"}, plain(texts.join(t("list separator"))))];
}

function termTable(segment, board, from, to) {
  if (!segment.terms.length) return null;
  const rows = segment.terms.map(([term, hits]) => ({term: segment.allTerms[term], hits}));
  return h("section", {class: "terms"}, h("h2", {}, t("terms")), scrolling(table({caption: t("terms"), rows, sort: {}, columns: [
    {id: "source", head: t("source"), cell: row => h("span", {lang: languageTag(from)}, row.term[0][0])},
    {id: "official", head: t("official"), cell: row => h("span", {lang: languageTag(to)}, row.term[1][0], row.term[1].length > 1 &&
      h("span", {class: "soft"}, ` | ${row.term[1].slice(1).join(" | ")}`))},
    {id: "systems", head: t("rendered by"), cell: row => {
      const names = board.rows.filter((_, system) => row.hits[system] === "1").map(({system}) => system);
      return h("span", {title: names.join(", ")}, t("systems of", {n: names.length, all: board.rows.length}),
        names.length > 0 && names.length <= 6 && h("span", {class: "soft"}, ` ${names.join(", ")}`));
    }},
  ]})));
}

async function segmentView(direction, id, query) {
  const board = site().boards[direction];
  const ownVisit = visit;
  const {rows} = await load(`${direction}/segments`);
  const place = rows.findIndex(row => row[0] === id);
  if (place < 0) return notFound(id);
  const [segment, lost, ...scores] = await Promise.all([segmentData(direction, place), loadFaults(direction),
    ...board.metrics.map(metric => load(`${direction}/score-${metric.id}`))]);
  if (ownVisit !== visit) return;
  const [from, to] = sides(direction);
  const state = {sort: readSort(query.get("sort"), null), hide: Boolean(query.get("hide")), missing: Boolean(query.get("missing")),
    all: Boolean(query.get("all"))};
  const few = ({id}) => board.columns.includes(id) && !faultMetrics(board).includes(id); // their faults stand below the texts

  // Neighbours are opened with the same settings.
  const order = walk?.direction === direction && walk.order.includes(place) ? walk.order : rows.map((_, i) => i);
  const position = order.indexOf(place);
  const settings = () => Object.fromEntries(address().query);
  const step = distance => {
    const neighbour = rows[order[position + distance]];
    if (neighbour) location.hash = link([direction, "segments", neighbour[0]], settings());
  };
  const listAddress = lists.get(direction) || link([direction, "segments"]);
  keys.step = keys.turn = step;
  keys.up = () => { location.hash = listAddress; };

  let list = h("div");
  const columns = () => [
    {id: "system", head: t("system"), class: "name", value: system => board.rows[system].system, cell: system => [
      h("a", {href: link([direction, "systems", board.rows[system].system])}, board.rows[system].system),
      board.rows[system].control && h("span", {class: "chip"}, t("control"))]},
    {id: "hypothesis", head: t("hypothesis"), class: "texts", cell: system => {
      const {marks, reason} = hypothesisMarks(segment, system, segment.diffs[system], segment.reference, state.missing);
      return [passage(segment.texts[system], to, marks), hypothesisFacts(segment, system, reason, to, faultsAt(lost, system, place))];
    }},
    ...board.metrics.filter(metric => state.all || few(metric)).map(metric => [metric, board.metrics.indexOf(metric)]).map(([metric, m]) => ({
      id: metric.id, head: metric.label, class: "number", descending: metric.higher_is_better,
      title: t(better(metric), {best: metric.best}),
      value: system => scores[m][system]?.values[place], cell: system => segmentScore(metric, scores[m], system, place),
    })),
  ];
  const draw = () => {
    const systems = board.rows.map((_, system) => system).filter(system => !(state.hide && board.rows[system].control));
    list = redraw(list, scrolling(table({
      caption: t("hypothesis"), columns: columns(), rows: systems, sort: state.sort || {}, sorted: !state.sort,
      rowClass: system => board.rows[system].control ? "control" : null,
      onsort: sort => { state.sort = sort; draw(); },
    })));
    list.classList.add("hypotheses");
    remember({sort: state.sort && writeSort(state.sort), hide: state.hide && "1", missing: state.missing && "1", all: state.all && "1"});
  };

  const given = (name, text, lang, side) => h("section", {}, h("h2", {}, name),
    passage(text, lang, occurrences(text, termForms(segment.allTerms, segment.terms, side), lang, {class: "term", title: t("terms")})));
  screen(id, [
    h("div", {class: "walk"},
      h("p", {class: "crumbs"}, h("a", {href: listAddress}, t("segments")), " / ", plain(t("section", {name: segment.section}))),
      h("nav", {class: "pager", "aria-label": t("segments")},
        h("button", {type: "button", disabled: position === 0, onclick: () => step(-1)},
          "← ", h("kbd", {}, "k"), h("span", {class: "visually-hidden"}, t("previous"))),
        h("span", {class: "soft"}, t("position", {n: position + 1, all: order.length})),
        h("button", {type: "button", disabled: position + 1 >= order.length, onclick: () => step(1)},
          h("kbd", {}, "j"), " →", h("span", {class: "visually-hidden"}, t("next"))))),
    h("h1", {class: "id"}, id, h("span", {class: "soft"}, " ", t(direction))),
    h("div", {class: `given ${segment.kind}`},
      given(t("source"), segment.source, from, 0), given(t("reference"), segment.reference, to, 1)),
    h("div", {class: "bar"},
      checkbox(t("show missing"), state.missing, checked => { state.missing = checked; draw(); }),
      board.rows.some(row => row.control) && checkbox(t("hide controls"), state.hide, checked => { state.hide = checked; draw(); }),
      !board.metrics.every(few) && checkbox(t("all metrics"), state.all, checked => { state.all = checked; draw(); })),
    h("p", {class: "soft legend"}, t("legend")),
    list,
    termTable(segment, board, from, to),
  ]);
  draw();
}
