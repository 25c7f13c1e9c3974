// Two systems side by side, the largest difference first.
"use strict";

const PAIRS_PER_PAGE = 10;

function comparePicker(direction, board, a, b) {
  const names = board.rows.map(row => [row.system, row.system]);
  const open = (nameA, nameB) => {
    location.hash = link([direction, "compare", nameA, nameB], Object.fromEntries(address().query));
  };
  return [
    choice(t("a"), names, a, name => open(name, b)),
    choice(t("b"), names, b, name => open(a, name)),
    h("button", {type: "button", onclick: () => open(b, a)}, t("swap")),
  ];
}

/** For each segment how much better A is (positive) or B, in the metric's points; null if one of them has no score. */
function advantages(scores, a, b, metric, count) {
  return Array.from({length: count}, (_, place) => {
    const [scoreA, scoreB] = [scores[a]?.values[place], scores[b]?.values[place]];
    return Number.isFinite(scoreA) && Number.isFinite(scoreB) ? Number((goodness(metric, scoreA) - goodness(metric, scoreB)).toFixed(metric.decimals + 2)) : null;
  });
}

/** How good a value is: higher is better. */
function goodness(metric, value) {
  return metric.best !== null ? -Math.abs(value - metric.best) : metric.higher_is_better ? value : -value;
}

function tally(advantage) {
  const known = advantage.filter(value => value !== null);
  return {a: known.filter(value => value > 0).length, b: known.filter(value => value < 0).length,
    ties: known.filter(value => value === 0).length, known: known.length};
}

function tallyBar({a, b, ties, known}) {
  const bar = (name, start, count) => svg("rect", {class: name, x: 100 * start / known, width: 100 * count / known, height: 1});
  return known > 0 && svg("svg", {class: "tally", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true"},
    bar("a", 0, a), bar("tie", a, ties), bar("b", a + ties, b));
}

/** The result of the paired test of the two; null if there was none. */
function verdict(test, metric, a, isControl) {
  if (!test) return null;
  const {p_adjusted_text: p, p_text: alone, significant, agreement, interval, minimum_detectable_difference: detectable, pair} = test;
  // The stored difference is that of the better system minus the other; the page shows A minus B.
  const [low, high] = (!interval ? [] : pair[0] === a ? interval : [-interval[1], -interval[0]]).map(value => number(value, metric.decimals));
  const sentences = [
    t(significant ? "significant" : "not significant", {p, alone}),
    interval && t("pair interval", {low, high}),
    detectable && t("minimum detectable", {n: number(detectable, metric.decimals), metric: metric.label}),
    agreement && !isControl && t("agreement", {percent: Math.round(100 * agreement), metric: metric.label}),
  ];
  return h("p", {class: "soft"}, sentences.filter(Boolean).join(t("sentence separator")));
}

/** The difference of one system's text from another's: it is stored once per pair, from the first system's side. */
function pairChanges(pairDiffs, system, opponent) {
  if (system === opponent) return [];
  const difference = pairDiffs[Math.min(system, opponent)][Math.abs(system - opponent) - 1];
  if (system < opponent || typeof difference === "string") return difference;
  const [changes = [], moved = [], otherMoved = []] = difference;
  return [changes.map(([start, end, otherStart, otherEnd]) => [otherStart, otherEnd, start, end]), otherMoved, moved];
}

async function compareView(direction, names, query) {
  const board = site().boards[direction];
  if (board.rows.length < 2) return screen(t("compare"), [h("h1", {}, t("compare")), h("p", {class: "soft"}, t("one system"))]);
  if (names.length < 2) {
    const [first, second] = [...board.rows.filter(row => !row.control), ...board.rows.filter(row => row.control)];
    return location.replace(link([direction, "compare", first.system, second.system]));
  }
  const [a, b] = names.map(name => board.rows.findIndex(row => row.system === name));
  if (a < 0 || b < 0) return notFound(names[a < 0 ? 0 : 1]);
  const ownVisit = visit;
  const {rows} = await load(`${direction}/segments`);
  const [from, to] = sides(direction);
  const perFile = site().segments_per_file;
  const state = {
    metric: query.get("metric") || board.primary, order: query.get("order") || "most",
    marks: board.pair_diffs && query.get("marks") === "each" ? "each" : "reference",
    page: Math.max(0, (parseInt(query.get("page"), 10) || 1) - 1),
  };
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];
  let body = h("div");

  const draw = async () => {
    const drawnState = JSON.stringify(state);
    const [scores, tests, lost] = await Promise.all([load(`${direction}/score-${metric().id}`), load(`${direction}/tests`), loadFaults(direction)]);
    const test = tests[metric().id]?.find(({pair}) => pair.includes(a) && pair.includes(b));
    const advantage = advantages(scores, a, b, metric(), rows.length);
    const weight = new Map([
      ["most", place => Math.abs(advantage[place])], ["a", place => advantage[place]], ["b", place => -advantage[place]],
    ]).get(state.order); // none: in the order of the document
    const places = advantage.map((_, place) => place).filter(place => advantage[place] !== null || !weight);
    if (weight) places.sort((i, j) => weight(j) - weight(i) || i - j);
    walk = {direction, order: places};
    const pages = Math.max(1, Math.ceil(places.length / PAIRS_PER_PAGE));
    state.page = Math.min(state.page, pages - 1);
    const shown = places.slice(state.page * PAIRS_PER_PAGE, (state.page + 1) * PAIRS_PER_PAGE);
    const [segments, pairDiffs] = await Promise.all([
      Promise.all(shown.map(place => segmentData(direction, place))),
      Promise.all(state.marks === "each" ? shown.map(place => load(`${direction}/pair-diffs-${Math.floor(place / perFile)}`)) : []),
    ]);
    if (ownVisit !== visit || drawnState !== JSON.stringify(state)) return;

    const counts = tally(advantage);
    const sign = metric().higher_is_better ? 1 : -1;
    const [totalA, totalB] = [board.rows[a].scores[metric().id], board.rows[b].scores[metric().id]];
    const half = (i, system, opponent) => {
      const [segment, place] = [segments[i], shown[i]];
      const changes = state.marks === "each" ? pairChanges(pairDiffs[i][place % perFile], system, opponent) : segment.diffs[system];
      const {marks, reason} = hypothesisMarks(segment, system, changes, "", false);
      const name = board.rows[system].system;
      return h("section", {"aria-label": name},
        h("p", {class: "which"}, h("span", {class: "side"}, t(system === a ? "a" : "b")), name,
          h("span", {class: "value"}, segmentScore(metric(), scores, system, place))),
        passage(segment.texts[system], to, marks), hypothesisFacts(segment, system, reason, to, faultsAt(lost, system, place)));
    };
    const newBody = h("div", {},
      h("div", {class: "summary"},
        h("dl", {class: "counts"},
          [["a", "a better", counts.a], ["tie", "ties", counts.ties], ["b", "b better", counts.b]].map(([name, key, count]) =>
            h("div", {class: name}, h("dt", {}, t(key)), h("dd", {}, String(count)))),
          totalA && totalB && h("div", {}, h("dt", {}, t("score difference")), h("dd", {}, number(totalA[0] - totalB[0], metric().decimals)))),
        tallyBar(counts), state.marks === "reference" && h("p", {class: "soft legend"}, t("legend")), verdict(test, metric(), a, board.rows[a].control || board.rows[b].control)),
      segments.map((segment, i) => h("article", {class: "pair"},
        h("header", {}, h("a", {class: "row-link", href: link([direction, "segments", segment.id])}, segment.id),
          h("span", {class: "value"}, advantage[shown[i]] === null ? "–"
            : `A − B ${number(sign * advantage[shown[i]], metric().decimals)}`)),
        h("div", {class: "given small"}, passage(segment.source, from), passage(segment.reference, to)),
        h("div", {class: "halves"}, half(i, a, b), half(i, b, a)))),
      pager(state.page, pages, page => { state.page = page; scrollTo(0, 0); attempt(draw()); }));
    body.replaceWith(newBody);
    body = newBody;
    remember({
      metric: state.metric !== board.primary && state.metric, order: state.order !== "most" && state.order,
      marks: state.marks !== "reference" && state.marks, page: state.page > 0 && state.page + 1,
    });
  };

  const change = name => value => { Object.assign(state, {[name]: value, page: 0}); attempt(draw()); };
  screen(`${names[0]} · ${names[1]}`, [
    h("h1", {}, t("compare"), h("span", {class: "soft"}, " ", t(direction))),
    h("div", {class: "bar"}, comparePicker(direction, board, ...names)),
    h("div", {class: "bar"},
      choice(t("metric"), board.metrics.map(({id, label}) => [id, label]), state.metric, change("metric")),
      choice(t("order"), [["most", t("differ most")], ["a", t("a best")], ["b", t("b best")], ["document", t("document order")]],
        state.order, change("order")),
      board.pair_diffs
        ? choice(t("differences from"), [["reference", t("reference")], ["each", t("each other")]], state.marks, change("marks"))
        : h("span", {class: "soft"}, t("no pair diffs"))),
    body,
  ]);
  keys.step = distance => {
    const links = [...body.querySelectorAll(".row-link")];
    links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement) + distance))]?.focus();
  };
  await draw();
}
