// Two systems side by side, where they differ most first.
"use strict";

const SHEET = 10; // pairs of hypotheses a page

function comparePicker(direction, board, a, b) {
  const names = board.rows.map(row => [row.system, row.system]);
  const open = (one, other) => { location.hash = link([direction, "compare", one, other], Object.fromEntries(address().query)); };
  return [
    choice(t("a"), names, a, name => open(name, b)),
    choice(t("b"), names, b, name => open(a, name)),
    h("button", {type: "button", onclick: () => open(b, a)}, t("swap")),
  ];
}

/** Of each segment how much better A is (positive) or B, in the metric's points; null where either has no score. */
function advantages(loaded, a, b, metric, count) {
  const sign = metric.higher ? 1 : -1;
  return Array.from({length: count}, (_, i) => {
    const [one, other] = [loaded[a]?.values[i], loaded[b]?.values[i]];
    return Number.isFinite(one) && Number.isFinite(other) ? Number((sign * (one - other)).toFixed(metric.decimals + 2)) : null;
  });
}

function tally(better) {
  const known = better.filter(value => value !== null);
  return {a: known.filter(value => value > 0).length, b: known.filter(value => value < 0).length,
    ties: known.filter(value => value === 0).length, known: known.length};
}

function tallyBar({a, b, ties, known}) {
  const part = (name, from, count) => svg("rect", {class: name, x: 100 * from / known, width: 100 * count / known, height: 1});
  return known > 0 && svg("svg", {class: "tally", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true"},
    part("a", 0, a), part("tie", a, ties), part("b", a + ties, b));
}

/** What the paired test says of the two, where there was one. */
function verdict(tested, metric, a) {
  if (!tested) return null;
  const {p, significant, agreement, interval, detectable, of} = tested;
  // The test is of the better one minus the other; the page says A minus B.
  const [low, high] = (of[0] === a ? interval : [-interval[1], -interval[0]]).map(value => number(value, metric.decimals));
  return h("p", {class: "soft"}, t(significant ? "significant" : "not significant", {p: p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}), " ",
    t("between", {low, high}), " ", agreement && [t("agree", {percent: Math.round(100 * agreement)}), " "],
    t("detectable", {n: number(detectable, metric.decimals)}));
}

async function compareView(direction, names, query) {
  const board = site().boards[direction];
  if (board.rows.length < 2) return screen(t("compare"), [h("h1", {}, t("compare")), h("p", {class: "soft"}, t("nothing"))]);
  if (names.length < 2) {
    const [first, second] = [...board.rows.filter(row => !row.control), ...board.rows.filter(row => row.control)];
    return location.replace(link([direction, "compare", first.system, second.system]));
  }
  const [a, b] = names.map(name => board.rows.findIndex(row => row.system === name));
  if (a < 0 || b < 0) return notHere(names[a < 0 ? 0 : 1]);
  const mine = visit;
  const {rows} = await load(`${direction}/segments`);
  const to = sides(direction)[1];
  const state = {
    metric: query.get("metric") || board.primary, order: query.get("order") || "most",
    marks: query.get("marks") || "reference", page: Math.max(0, (parseInt(query.get("page"), 10) || 1) - 1),
  };
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];
  let body = h("div");

  const draw = async () => {
    const wanted = JSON.stringify(state);
    const [loaded, tests] = await Promise.all([load(`${direction}/score-${metric().id}`), load(`${direction}/tests`)]);
    const tested = tests[metric().id]?.find(pair => pair.of.includes(a) && pair.of.includes(b));
    const better = advantages(loaded, a, b, metric(), rows.length);
    const weight = {most: i => Math.abs(better[i]), a: i => better[i], b: i => -better[i], document: null}[state.order];
    const places = better.map((_, i) => i).filter(i => better[i] !== null || state.order === "document");
    if (weight) places.sort((i, j) => weight(j) - weight(i) || i - j);
    walk = {direction, order: places};
    const pages = Math.max(1, Math.ceil(places.length / SHEET));
    state.page = Math.min(state.page, pages - 1);
    const shown = places.slice(state.page * SHEET, (state.page + 1) * SHEET);
    const segments = await Promise.all(shown.map(place => segmentData(direction, place)));
    if (mine !== visit || wanted !== JSON.stringify(state)) return;

    const counts = tally(better);
    const sign = metric().higher ? 1 : -1;
    const [one, other] = [board.rows[a].scores[metric().id], board.rows[b].scores[metric().id]];
    const half = (segment, system, against) => {
      const {marks, why} = hypothesisMarks(segment, system, state.marks === "each" ? segment.texts[against] : segment.reference, false);
      return h("section", {"aria-label": names[system === a ? 0 : 1]},
        h("p", {class: "which"}, h("span", {class: "side"}, t(system === a ? "a" : "b")), names[system === a ? 0 : 1],
          h("span", {class: "value"}, segmentScore(metric(), loaded, system, rows.findIndex(row => row[0] === segment.id)))),
        passage(segment.texts[system], to, marks), about(segment, system, why, to));
    };
    const now = h("div", {},
      h("div", {class: "summary"},
        h("dl", {class: "counts"},
          [["a", "a better", counts.a], ["tie", "ties", counts.ties], ["b", "b better", counts.b]].map(([of, key, count]) =>
            h("div", {class: of}, h("dt", {}, t(key)), h("dd", {}, String(count)))),
          one && other && h("div", {}, h("dt", {}, t("score difference")), h("dd", {}, number(one[0] - other[0], metric().decimals)))),
        tallyBar(counts), verdict(tested, metric(), a)),
      segments.map((segment, i) => h("article", {class: "pair"},
        h("header", {}, h("a", {class: "row-link", href: link([direction, "segments", segment.id])}, segment.id),
          h("span", {class: "value"}, better[shown[i]] === null ? "–"
            : `A − B ${number(sign * better[shown[i]], metric().decimals)}`)),
        h("div", {class: "given small"},
          passage(segment.source, sides(direction)[0]), passage(segment.reference, to)),
        h("div", {class: "halves"}, half(segment, a, b), half(segment, b, a)))),
      pager(state.page, pages, page => { state.page = page; scrollTo(0, 0); attempt(draw()); }));
    body.replaceWith(now);
    body = now;
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
      choice(t("order"), [["most", t("differ most")], ["a", t("a best")], ["b", t("b best")], ["document", t("document order")]], state.order, change("order")),
      choice(t("marks against"), [["reference", t("reference")], ["each", t("each other")]], state.marks, change("marks"))),
    body,
  ]);
  keys.step = by => {
    const links = [...body.querySelectorAll(".row-link")];
    links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement) + by))]?.focus();
  };
  await draw();
}
