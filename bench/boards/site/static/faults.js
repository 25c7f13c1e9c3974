// Facts and obligations: what a system has lost, changed or invented. A lost or reversed prohibition comes first.
"use strict";

const FAULT_METRICS = ["obligations", "facts"];
const FAULTS_PER_PAGE = 100;

/** The metrics of a board whose faults are named. */
const faultMetrics = board => FAULT_METRICS.filter(id => board.metrics.some(metric => metric.id === id));

/** Of each system its faults, the gravest first: [{metric, place, fault, kind, text, grave}]. */
async function loadFaults(direction) {
  const board = site().boards[direction], ids = faultMetrics(board);
  const files = await Promise.all(ids.map(id => load(`${direction}/score-${id}`)));
  return board.rows.map((_, system) => files.flatMap((file, n) => (file[system]?.faults || []).map(
    ([place, fault, kind, text, grave]) => ({metric: ids[n], place, fault, kind, text, grave}))));
}

const faultsAt = (lost, system, place) => lost[system].filter(fault => fault.place === place);

/** "reversed prohibition", from its two words, in the reader's language. */
const faultWords = category => category.split(" ").map(word => t(`fault ${word}`).replace(/^fault /, "")).join(t("word separator"));

/** A fault in words: "missing date: 1990s". `lang`: of its text. */
function faultText({fault, kind, text}, lang) {
  const [said, expected] = fault === "wrong" ? text.split(/ instead of ([^]*)/) : [text];
  const quote = words => h("span", {lang: languageTag(lang)}, plain(words));
  return [`${faultWords(`${fault} ${kind}`)}${t("colon")}`, quote(said), expected !== undefined && [t("instead of"), quote(expected)]];
}

function faultList(lost, lang) {
  const counts = new Map();
  for (const fault of lost) {
    const key = JSON.stringify([fault.fault, fault.kind, fault.text]);
    counts.set(key, {fault, times: (counts.get(key)?.times || 0) + 1});
  }
  return lost.length > 0 && h("ul", {class: "faults"}, [...counts.values()].map(({fault, times}) =>
    h("li", {class: fault.grave ? "grave" : null}, faultText(fault, lang), times > 1 && ` × ${times}`)));
}

/** The number of each sort of fault of a row, as the board counts them: "missing: 6", "invented: 2". */
const faultCounts = (row, metric) => Object.entries(row.faults[metric] || {}).map(([sort, count]) => `${faultWords(sort)}${t("colon")}${count}`);

async function faultsView(direction, query) {
  const board = site().boards[direction];
  const ownVisit = visit;
  const [lost, {rows: segments}] = await Promise.all([loadFaults(direction), load(`${direction}/segments`)]);
  if (ownVisit !== visit) return;
  const [, to] = sides(direction);
  const state = {system: query.get("system") || "", hide: query.get("controls") !== "1",
    page: Math.max(0, (parseInt(query.get("page"), 10) || 1) - 1)};
  const label = id => board.metrics.find(metric => metric.id === id).label;
  let body = h("div");

  /** Faults that several systems share are one row. */
  const grouped = () => {
    const groups = new Map();
    lost.forEach((faults, system) => {
      const row = board.rows[system];
      if ((state.hide && row.control) || (state.system && row.system !== state.system)) return;
      for (const fault of faults) {
        const key = JSON.stringify([fault.place, fault.fault, fault.kind, fault.text]);
        if (!groups.has(key)) groups.set(key, {...fault, systems: []});
        const group = groups.get(key);
        if (!group.systems.includes(row.system)) group.systems.push(row.system);
      }
    });
    return [...groups.values()].sort((a, b) => b.grave - a.grave || FAULT_METRICS.indexOf(a.metric) - FAULT_METRICS.indexOf(b.metric) ||
      b.systems.length - a.systems.length || a.place - b.place);
  };
  const draw = () => {
    const count = board.rows.filter(row => !(state.hide && row.control)).length;
    const all = grouped(), pages = Math.max(1, Math.ceil(all.length / FAULTS_PER_PAGE));
    state.page = Math.min(state.page, pages - 1);
    walk = {direction, order: [...new Set(all.map(({place}) => place))]};
    const counts = faultMetrics(board).flatMap(id => [
      {id, head: label(id), class: "number", cell: row => scoreCell(row, board.metrics.find(metric => metric.id === id))},
      {id: `${id}-faults`, head: t("faults of", {metric: label(id)}), class: "loose", cell: row => faultCounts(row, id).join(t("list separator")) || "0"}]);
    const systems = scrolling(table({caption: t("faults"), sort: {}, rowClass: row => row.control ? "control" : null,
      rows: board.rows.filter(row => !(state.hide && row.control)), columns: [
        {id: "system", head: t("system"), cell: row => h("a", {href: link([direction, "systems", row.system])}, row.system)}, ...counts]}));
    const list = scrolling(table({caption: t("lost where"), sort: {}, rowClass: fault => fault.grave ? "grave" : null,
      rows: all.slice(state.page * FAULTS_PER_PAGE, (state.page + 1) * FAULTS_PER_PAGE), columns: [
        {id: "segment", head: t("segment"), cell: ({place}) =>
          h("a", {class: "row-link", href: link([direction, "segments", segments[place][0]])}, segments[place][0])},
        {id: "fault", head: t("fault"), class: "loose", cell: fault => faultText(fault, to)},
        {id: "count", head: t("systems"), class: "number", cell: ({systems}) => String(systems.length)},
        {id: "systems", head: "", class: "loose", cell: ({systems}) => systems.length === count && count > 1 ? t("all systems") : systems.join(t("list separator"))}]}));
    const lines = () => lost.flatMap((faults, system) => faults.map(({metric, place, fault, kind, text}) =>
      [board.rows[system].system, segments[place][0], metric, fault, kind, text]));
    const newBody = h("div", {}, h("div", {class: "board"}, systems),
      h("p", {class: "bar"}, saveButton("CSV", `${direction}.faults.csv`, () => csv([["system", "segment", "metric", "fault", "kind", "text"], ...lines()]))),
      h("h2", {}, t("lost where")), all.length ? h("div", {class: "board lost"}, list) : h("p", {class: "soft"}, t("nothing lost")),
      pager(state.page, pages, page => { state.page = page; draw(); scrollTo(0, 0); }));
    body.replaceWith(newBody);
    body = newBody;
    remember({system: state.system, controls: !state.hide && "1", page: state.page > 0 && state.page + 1});
  };
  screen(t("faults"), [
    h("h1", {}, t("faults"), h("span", {class: "soft"}, " ", t(direction))),
    h("p", {class: "soft legend-text"}, t("faults legend")),
    h("div", {class: "bar"},
      choice(t("system"), [["", t("all systems")], ...board.rows.map(row => [row.system, row.system])], state.system,
        name => { Object.assign(state, {system: name, page: 0}); draw(); }),
      board.rows.some(row => row.control) && checkbox(t("hide controls"), state.hide, checked => { Object.assign(state, {hide: checked, page: 0}); draw(); })),
    body,
  ]);
  keys.step = distance => {
    const links = [...body.querySelectorAll(".row-link")];
    links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement) + distance))]?.focus();
  };
  draw();
}
