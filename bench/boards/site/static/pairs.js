// All pairs of systems: the difference, and the p-value that decides.
"use strict";

const shortP = text => text.replace(/^= /, ""); // "0.005", "≤ 0.006"

/** The test of a row against a column: difference, p adjusted and p, seen from the row; null if there was none. */
function testOf(tests, row, column) {
  const test = tests?.find(({pair}) => pair.includes(row) && pair.includes(column));
  if (!test) return null;
  return {...test, difference: test.pair[0] === row ? test.difference : -test.difference};
}

async function pairsView(direction, query) {
  const board = site().boards[direction];
  const ownVisit = visit;
  const allTests = await load(`${direction}/tests`);
  if (ownVisit !== visit) return;
  const state = {metric: query.get("metric") || board.primary};
  let body = h("div");
  const metric = () => board.metrics.find(({id}) => id === state.metric) || board.metrics[0];

  const draw = () => {
    const tests = allTests[metric().id], rows = board.rows.map((row, i) => ({row, i})), short = shortNames(board.rows, 34);
    const cell = (row, column) => {
      if (row === column) return h("td", {class: "same"}, "");
      const test = testOf(tests, row, column);
      if (!test) return h("td", {}, "–");
      const [a, b] = [board.rows[row].system, board.rows[column].system];
      const better = test.pair[0] === row; // the first of a pair is the better one
      const difference = `${test.difference > 0 ? "+" : ""}${number(test.difference, metric().decimals)}`;
      return h("td", {class: test.significant ? (better ? "better" : "worse") : null},
        h("a", {href: link([direction, "compare", a, b], {metric: state.metric !== board.primary && state.metric}),
          title: `${visible(a)} − ${visible(b)}: ${difference}, p ${test.p_text}, ${t("p adjusted")} ${test.p_adjusted_text}`}, difference),
        h("span", {class: "remark"}, shortP(test.p_adjusted_text)));
    };
    const grid = h("table", {}, h("caption", {class: "visually-hidden"}, t("pairs")),
      h("thead", {}, h("tr", {}, h("th", {scope: "col"}, t("system")),
        rows.map(({row, i}) => h("th", {scope: "col", class: "number", title: row.system}, String(i + 1))))),
      h("tbody", {}, rows.map(({row, i}) => h("tr", {class: row.control ? "control" : null},
        h("th", {scope: "row"}, `${i + 1} `, h("a", {href: link([direction, "systems", row.system]), title: row.system}, short.get(row.system))),
        rows.map(({i: column}) => cell(i, column))))));
    const table = () => [["a", "b", "metric", "difference", "low", "high", "p", "p_adjusted", "significant"],
      ...(tests || []).map(test => [board.rows[test.pair[0]].system, board.rows[test.pair[1]].system, metric().label,
        test.difference, ...(test.interval || ["", ""]), test.p_sacrebleu, test.p_adjusted, test.significant])];
    const newBody = h("div", {class: "pairs"}, scrolling(grid),
      h("p", {class: "bar"}, saveButton("CSV", `${direction}.pairs.csv`, () => csv(table()))));
    body.replaceWith(newBody);
    body = newBody;
    remember({metric: state.metric !== board.primary && state.metric});
  };
  screen(t("pairs"), [
    h("h1", {}, t("pairs"), h("span", {class: "soft"}, " ", t(direction))),
    h("p", {class: "soft legend-text"}, t("pairs legend")),
    h("div", {class: "bar"}, choice(t("metric"), board.metrics.map(({id, label}) => [id, label]), state.metric, id => { state.metric = id; draw(); })),
    body,
  ]);
  draw();
}
