// The two plots of a board, drawn to fit the available width.
"use strict";

/** `draw(width)` returns the svg; it is called again when the width changes. */
function plot(caption, draw) {
  const figure = h("figure", {class: "plot"});
  let width = 0;
  new ResizeObserver(() => {
    const available = Math.floor(figure.clientWidth);
    if (!available || available === width) return;
    width = available;
    figure.replaceChildren(draw(width), h("figcaption", {class: "soft"}, plain(caption.filter(Boolean).join(t("sentence separator")))));
  }).observe(figure);
  return figure;
}

/** Round numbers from `low` to `high`, about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({length: Math.floor(high / step + 1e-9) - first + 1}, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2, 5, 10 … from `low` to `high`; only powers of ten if that would be more than seven. */
function logTicks(low, high) {
  const candidates = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
    for (const n of [1, 2, 5]) candidates.push({value: n * 10 ** p, isPower: n === 1});
  const inside = candidates.filter(({value}) => value >= low * 0.999 && value <= high * 1.001);
  return (inside.length > 7 ? inside.filter(({isPower}) => isPower) : inside).map(({value}) => value);
}

/** Shortens a name in the middle: settings of one system differ at the end. */
const shorten = (text, length) => text.length > length
  ? text.slice(0, Math.ceil(length / 3)) + "…" + text.slice(text.length - length + Math.ceil(length / 3) + 1) : text;
/** [lower end, score, upper end] */
const range = ([value, low = value, high = value]) => [low, value, high];
const pixel = value => Number(value.toFixed(1)); // one decimal keeps attributes short

function scorePlot(rows, metric) {
  const shown = ordered(rows.filter(row => row.scores[metric.id]), [{id: "score", value: row => row.scores[metric.id][0]}],
    {by: "score", descending: metric.higher_is_better});
  const rank = row => row.ranks[metric.id] && rankRange(row.ranks[metric.id]);
  const caption = [t("score plot caption", {metric: metric.label}), shown.some(rank) && t("rank bands")];
  return plot(caption, width => {
    const lineHeight = 28, top = 8, labelWidth = Math.min(240, width * 0.4);
    const values = shown.flatMap(row => range(row.scores[metric.id]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const right = width - (shown.some(rank) ? 44 : 16);
    const x = value => pixel(labelWidth + 12 + (right - labelWidth - 12) * (value - low) / (high - low || 1));
    const bottom = top + shown.length * lineHeight;
    const bands = [];
    shown.forEach((row, i) => {
      const band = bands.at(-1);
      if (rank(row) && band?.rank === rank(row)) band.count++;
      else bands.push({rank: rank(row), from: i, count: 1});
    });
    return svg("svg", {viewBox: `0 0 ${width} ${bottom + 46}`, width, height: bottom + 46, role: "img", "aria-label": caption.filter(Boolean).join(t("sentence separator"))},
      bands.map((band, i) => band.rank && [
        svg("rect", {class: i % 2 ? "band" : "band odd", x: 0, y: top + band.from * lineHeight, width, height: band.count * lineHeight}),
        svg("text", {class: "rank", x: width - 8, y: top + (band.from + band.count / 2) * lineHeight + 4, "text-anchor": "end"}, band.rank),
      ]),
      ticks(low, high, Math.max(2, (right - labelWidth) / 80)).map(value => [
        svg("line", {class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom}),
        svg("text", {class: "axis", x: x(value), y: bottom + 18, "text-anchor": "middle"}, String(value).replace("-", "−")),
      ]),
      svg("text", {class: "axis", x: right, y: bottom + 38, "text-anchor": "end"}, `${metric.label} · ${t(better(metric), {best: metric.best})}`),
      shown.map((row, i) => {
        const [from, value, to] = range(row.scores[metric.id]);
        const y = top + (i + 0.5) * lineHeight;
        return svg("g", {class: row.control ? "dot control" : "dot"},
          svg("title", {}, `${row.system}: ${number(value, metric.decimals)} [${number(from, metric.decimals)}, ${number(to, metric.decimals)}]`),
          svg("text", {x: labelWidth, y: y + 4, "text-anchor": "end"}, shorten(row.system, Math.floor(labelWidth / 7.4))),
          svg("line", {x1: x(from), x2: x(to), y1: y, y2: y}),
          svg("circle", {cx: x(value), cy: y, r: 4.5}));
      }));
  });
}

function speedPlot(rows, metric) {
  const shown = rows.filter(row => row.scores[metric.id] && row.speed > 0);
  if (!shown.length) return h("p", {class: "soft"}, t("no speed"));
  const devices = [...new Set(shown.map(row => row.device))];
  const caption = [t("speed plot caption", {metric: metric.label}), devices.length > 1 && t("other devices", {devices: devices.join(t("list separator"))})];
  return plot(caption, width => {
    const left = 44, top = 28, right = width - 20, bottom = Math.min(420, Math.max(240, width * 0.6));
    const values = shown.flatMap(row => range(row.scores[metric.id]));
    const pad = (Math.max(...values) - Math.min(...values) || 1) * 0.08;
    const [low, high] = [Math.min(...values) - pad, Math.max(...values) + pad];
    const speeds = shown.map(row => row.speed);
    const [slow, fast] = [Math.min(...speeds) / 1.6, Math.max(...speeds) * 1.6];
    const x = speed => pixel(left + (right - left) * Math.log(speed / slow) / Math.log(fast / slow));
    const y = value => pixel(bottom - (bottom - top) * (value - low) / (high - low));
    const taken = shown.map(row => ({x: x(row.speed) - 6, y: y(row.scores[metric.id][0]) - 8, width: 12, height: 16}));
    return svg("svg", {viewBox: `0 0 ${width} ${bottom + 46}`, width, height: bottom + 46, role: "img", "aria-label": caption.filter(Boolean).join(t("sentence separator"))},
      ticks(low, high, 5).map(value => [
        svg("line", {class: "grid", x1: left, x2: right, y1: y(value), y2: y(value)}),
        svg("text", {class: "axis", x: left - 8, y: y(value) + 4, "text-anchor": "end"}, String(value).replace("-", "−")),
      ]),
      logTicks(slow, fast).map(value => [
        svg("line", {class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom}),
        svg("text", {class: "axis", x: x(value), y: bottom + 18, "text-anchor": "middle"}, String(value)),
      ]),
      svg("text", {class: "axis", x: right, y: bottom + 38, "text-anchor": "end"}, t("speed axis")),
      svg("text", {class: "axis", x: 0, y: 12}, `${metric.label} · ${t(better(metric), {best: metric.best})}`),
      shown.map(row => {
        const [from, value, to] = range(row.scores[metric.id]);
        const name = pointLabel(row.system, x(row.speed), y(value), {left, right, top, bottom}, taken);
        return svg("g", {class: "dot"},
          svg("title", {}, `${row.system}: ${number(value, metric.decimals)}, ${row.speed} ${t("speed")}, ${row.device}`),
          svg("line", {x1: x(row.speed), x2: x(row.speed), y1: y(from), y2: y(to)}),
          svg("circle", {cx: x(row.speed), cy: y(value), r: 4.5}),
          name);
      }));
  });
}

/** A name beside its point, on a free side; null if there is none: the name is then in the title only. */
function pointLabel(name, x, y, edges, taken) {
  const [width, height] = [Math.min(name.length, 28) * 7.4, 15];
  for (const [dx, anchor] of [[10, "start"], [-10, "end"], [0, "middle"]])
    for (const dy of anchor === "middle" ? [-18, 18] : [0]) {
      const box = {x: x + dx - width * {start: 0, middle: 0.5, end: 1}[anchor], y: y + dy - 8, width, height};
      const isFree = taken.every(other => other.x + other.width <= box.x || box.x + box.width <= other.x ||
        other.y + other.height <= box.y || box.y + box.height <= other.y || (other.x === x - 6 && other.y === y - 8));
      if (!isFree || box.x < edges.left || box.x + width > edges.right || box.y < edges.top - 12 || box.y + height > edges.bottom) continue;
      taken.push(box);
      return svg("text", {x: x + dx, y: y + dy + 4, "text-anchor": anchor}, shorten(name, 28));
    }
  return null;
}
