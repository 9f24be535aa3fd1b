// Pictures as SVG text: a specification in, text out; nothing here knows of a page.

// At most `digits` significant ones, powers of ten beyond 0.001 and 100,000; as `numbers.shown`.
function shown(x, digits = 4) {
  if (typeof x !== "number" || Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  let [mantissa, exponent] = Math.abs(x).toExponential(digits - 1).split("e");
  exponent = Number(exponent);
  if (mantissa.includes(".")) mantissa = mantissa.replace(/\.?0+$/, "");
  const sign = x < 0 ? "−" : "";
  if (exponent < -3 || exponent > 5) {
    const power = `10${raised(exponent)}`;
    return sign + (mantissa === "1" ? power : `${mantissa}\u00a0×\u00a0${power}`);
  }
  const places = Math.max(0, digits - 1 - exponent);
  let plain = Number(Math.abs(x).toExponential(digits - 1)).toFixed(places);
  if (plain.includes(".")) plain = plain.replace(/\.?0+$/, "");
  return sign + plain;
}

// A positive number in so many digits, rounded up: for "at most"; as `numbers.above`.
function above(x, digits = 1) {
  if (!(x > 0) || !Number.isFinite(x)) return shown(x, digits);
  const nearest = Number(x.toExponential(digits - 1));
  return shown(nearest >= x ? nearest : nearest + 10 ** (Math.floor(Math.log10(x)) - digits + 1), digits);
}

// Where a logarithmic axis may begin that is to show `x`: so many decades, all in tens.
const tensBelow = (x) => 10 ** (10 * Math.floor(Math.log10(Math.max(x, 1e-300)) / 10));

const raised = (exponent) =>
  String(exponent).replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);

const escaped = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

// Width of a text of 13 pixels: letters of Chinese are twice as wide, m and w nearly so.
const widthOf = (text) =>
  [...String(text)].reduce((sum, c) => sum + (c.codePointAt(0) >= 0x2e80 ? 13.2 : /[mwMW%…]/.test(c) ? 13 : /[A-Z]/.test(c) ? 9.2 : 7.4), 0);

// Whether a number can be drawn on an axis.
const drawable = (axis, x) => Number.isFinite(x) && (!axis.log || x > 0);

// Ticks of an axis: 1, 2 or 5 times a power of ten apart; of a logarithmic one, powers of ten.
function ticks(axis, most) {
  if (axis.ticks) return axis.ticks;
  if (axis.log) {
    const first = Math.ceil(Math.log10(axis.low) - 1e-9), last = Math.floor(Math.log10(axis.high) + 1e-9);
    if (!Number.isFinite(last - first)) return [];
    const apart = Math.max(1, Math.ceil((last - first + 1) / most));
    const found = [];
    for (let k = first; k <= last; k += apart) found.push(Number(`1e${k}`));
    return found;
  }
  const rough = (axis.high - axis.low) / most;
  const power = 10 ** Math.floor(Math.log10(rough)), apart = [0.5, 1, 2, 5, 10].map((k) => k * power);
  const chosen = apart.findIndex((x) => x >= rough * (1 - 1e-9)), found = multiples(axis, apart[chosen]);
  if (found.length > 1) return found;
  // One tick says nothing of the scale; 2 in place of 5 may give five where two were asked for.
  const finer = multiples(axis, apart[chosen - 1]);
  return finer.length > most + 2 ? finer.filter((_, k) => k % 2 === 0) : finer;
}

function multiples({ low, high }, apart) {
  const found = [];
  for (let k = Math.ceil(low / apart - 1e-9); k * apart <= high + apart * 1e-9; k++)
    found.push(Number((k * apart).toPrecision(12)));
  return found;
}

// Heights moved apart to `gap`, in their order, within 0 and `most`.
function apart(heights, gap, most) {
  const order = heights.map((_, k) => k).sort((a, b) => heights[a] - heights[b]);
  const placed = heights.slice();
  let before = -gap;
  for (const k of order) before = placed[k] = Math.max(placed[k], before + gap);
  let after = most + gap;
  for (const k of order.reverse()) after = placed[k] = Math.min(placed[k], after - gap);
  return placed;
}

// Level lines of a function of two numbers, as one path in pixels: marching squares.
function contours(value, levels, x, y, toX, toY, columns = 54, rows = 36) {
  const at = (axis, k, count) => axis.low + ((axis.high - axis.low) * k) / count;
  const grid = [];
  for (let r = 0; r <= rows; r++) {
    grid.push([]);
    for (let c = 0; c <= columns; c++) grid[r].push(value(at(x, c, columns), at(y, r, rows)));
  }
  let path = "";
  for (const level of levels) {
    const pieces = [];
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
        const found = [];
        corners.forEach(([ca, ra], k) => {
          const [cb, rb] = corners[(k + 1) % 4];
          const a = grid[ra][ca] - level, b = grid[rb][cb] - level;
          if (a < 0 === b < 0) return;
          const s = a / (a - b);
          found.push([toX(at(x, ca + s * (cb - ca), columns)), toY(at(y, ra + s * (rb - ra), rows))]);
        });
        for (let k = 0; k + 1 < found.length; k += 2) pieces.push([found[k], found[k + 1]]);
      }
    path += joined(pieces).map(lineThrough).join("");
  }
  return path;
}

// Pieces of lines, each of two points, as lines that are as long as can be.
function joined(pieces) {
  const key = ([x, y]) => `${px(x)} ${px(y)}`, ends = new Map(), used = new Set(), lines = [];
  for (const piece of pieces)
    for (const end of piece) ends.set(key(end), [...(ends.get(key(end)) || []), piece]);
  const onward = (end) => {
    const piece = ends.get(key(end)).find((one) => !used.has(one));
    if (!piece) return undefined;
    used.add(piece);
    return key(piece[0]) === key(end) ? piece[1] : piece[0];
  };
  for (const piece of pieces) {
    if (used.has(piece)) continue;
    used.add(piece);
    const line = piece.slice();
    for (let end = onward(line[1]); end; end = onward(end)) line.push(end);
    for (let end = onward(line[0]); end; end = onward(end)) line.unshift(end);
    lines.push(line);
  }
  return lines;
}

const px = (x) => String(Math.round(x * 10) / 10);

// Dots at points in pixels: a line of no length with round ends is a dot.
const dotsAt = (points, hue) =>
  `<path d="${points.map(([x, y]) => `M${px(x)} ${px(y)}h0`).join("")}" ` +
  `stroke="var(--${hue})" stroke-width="5.2" stroke-linecap="round"/>`;

// A path through points in pixels, in tenths; of those within a pixel of each other one is enough.
// From point to point it says the difference, which is shorter to write.
function lineThrough(points) {
  const tenths = (x) => Math.round(x * 10), text = (x) => String(x / 10).replace(/^(-?)0\./, "$1.");
  let x = 0, y = 0, path = "";
  points.forEach((point, k) => {
    const [a, b] = point.map(tenths);
    if (k === 0) path = `M${text(a)} ${text(b)}${points.length > 1 ? "l" : ""}`;
    else if (k === points.length - 1 || Math.abs(a - x) >= 10 || Math.abs(b - y) >= 10) {
      const down = text(b - y);
      path += `${path.endsWith("l") || a < x ? "" : " "}${text(a - x)}${down.startsWith("-") ? "" : " "}${down}`;
    } else return;
    [x, y] = [a, b];
  });
  return path;
}

// Levels for `contours`: more where the loss is small.
function levelsOf(problem, count = 12) {
  const [x, y] = problem.view, values = [];
  for (let a = 0; a <= 16; a++)
    for (let b = 0; b <= 16; b++)
      values.push(problem.loss(x[0] + ((x[1] - x[0]) * a) / 16, y[0] + ((y[1] - y[0]) * b) / 16));
  const low = Math.min(problem.loss(...problem.least), ...values), high = Math.max(...values);
  return Array.from({ length: count }, (_, k) => low + (high - low) * ((k + 0.5) / count) ** 3);
}

/* One picture. `spec`: title (what a screen reader is told), width, height;
   x, y: { low, high, log, label, ticks }; and any of
   series: [{ name, hue, points: [[x, y]], dashes, dots }]  lines, named at their right end;
   bars: [{ x, y, hue, width }], from 0; scatter: { hue, points: [[x, y]] }, small dots; dots: [{ x, y, hue, size, label, hollow }];
   marks: [{ x or y, label, hue }], lines across; contours: { value, levels }.
   `hue` names a colour of the page: adam, sgd, momentum, rmsprop, adagrad, ink, muted, hue1 … hue8. */
function chart(spec) {
  const { width = 640, height = 300, x, y } = spec;
  const series = spec.series || [], named = series.filter((one) => one.name);
  const right = named.length ? Math.min(width * 0.42, 14 + Math.max(...named.map((s) => widthOf(s.name)))) : 14;
  const most = Math.max(2, Math.floor(height / 55));
  const labels = ticks(y, most).map((tick) => [tick, y.text ? y.text(tick) : shown(tick, 3)]);
  const left = 12 + Math.max(...labels.map(([, text]) => widthOf(text)), 14);
  const top = y.label ? 30 : 12, bottom = x.label ? 46 : 26;
  const scale = (axis, from, to) => {
    const f = axis.log ? Math.log10 : exact, low = f(axis.low), high = f(axis.high);
    return (value) => from + ((f(value) - low) / (high - low)) * (to - from);
  };
  const toX = scale(x, left, width - right), toY = scale(y, height - bottom, top);
  const clipX = (value) => Math.min(Math.max(value, left - 40), width - right + 40);
  const clipY = (value) => Math.min(Math.max(value, top - 40), height - bottom + 40);
  const parts = [];
  const key = spec.key || "c";
  parts.push(
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(spec.title || "")}" ` +
    `style="max-width:${width}px" font-size="13"` +
    // Where a click stands in numbers is known from the corners of the axes.
    `${spec.pick ? ` data-box="${px(left)} ${top} ${px(width - right)} ${px(height - bottom)}"` : ""}>` +
    `<clipPath id="clip-${key}"><rect x="${px(left - 4)}" y="${top - 4}" width="${px(width - left - right + 8)}" ` +
    `height="${px(height - top - bottom + 8)}"/></clipPath>`);
  if (spec.contours) {
    // Whoever draws the same axes again hands in the same object, which keeps its path.
    const path = spec.contours.path ||= contours(spec.contours.value, spec.contours.levels, x, y, toX, toY);
    parts.push(`<path d="${path}" fill="none" stroke="var(--muted)" stroke-opacity="0.45"/>`);
  }
  parts.push(axes(spec, labels, toX, toY, { left, right, top, bottom, width, height }));
  const across = (spec.marks || []).map((mark) => acrossLine(mark, toX, toY, { left, right, top, bottom, width, height }));
  parts.push(...across);
  parts.push(`<g clip-path="url(#clip-${key})">`);
  for (const bar of spec.bars || []) {
    const a = toX(bar.x - (bar.width || 0.8) / 2), b = toX(bar.x + (bar.width || 0.8) / 2);
    const zero = toY(y.log ? y.low : Math.min(Math.max(0, y.low), y.high)), end = clipY(toY(bar.y));
    parts.push(`<rect x="${px(a)}" y="${px(Math.min(zero, end))}" width="${px(b - a)}" ` +
      `height="${px(Math.abs(end - zero))}" fill="var(--${bar.hue || "adam"})"/>`);
  }
  const ends = [];
  for (const one of series) {
    const points = one.points.filter(([a, b]) => drawable(x, a) && drawable(y, b));
    const path = lineThrough(points.map(([a, b]) => [clipX(toX(a)), clipY(toY(b))]));
    const dashes = one.dashes ? ` stroke-dasharray="${one.dashes}"` : "";
    if (path) parts.push(`<path d="${path}" fill="none" stroke="var(--${one.hue})" stroke-width="2"${dashes} stroke-linejoin="round"/>`);
    if (one.dots && points.length) parts.push(dotsAt(points.map(([a, b]) => [clipX(toX(a)), clipY(toY(b))]), one.hue));
    if (one.name) ends.push([one, points.length ? clipY(toY(points[points.length - 1][1])) : top]);
  }
  if (spec.scatter) parts.push(dotsAt(spec.scatter.points.map(([a, b]) => [toX(a), toY(b)]), spec.scatter.hue));
  for (const dot of spec.dots || []) {
    if (!drawable(x, dot.x) || !drawable(y, dot.y)) continue;
    const fill = dot.hollow ? "none" : `var(--${dot.hue || "ink"})`;
    parts.push(`<circle cx="${px(clipX(toX(dot.x)))}" cy="${px(clipY(toY(dot.y)))}" r="${dot.size || 4.5}" ` +
      `fill="${fill}" stroke="var(--${dot.hue || "ink"})" stroke-width="1.5"/>`);
  }
  parts.push("</g>");
  for (const dot of (spec.dots || []).filter((one) => one.label && drawable(x, one.x) && drawable(y, one.y))) {
    const end = toX(dot.x) + 9 + widthOf(dot.label) > width - 4;
    parts.push(`<text x="${px(toX(dot.x) + (end ? -9 : 9))}" y="${px(clipY(toY(dot.y)) - 7)}" ` +
      `text-anchor="${end ? "end" : "start"}" fill="var(--${dot.hue || "ink"})">${escaped(dot.label)}</text>`);
  }
  const heights = apart(ends.map(([, at]) => Math.min(Math.max(at, top), height - bottom)), 16, height - bottom);
  ends.forEach(([one], k) => parts.push(
    `<text x="${px(width - right + 8)}" y="${px(heights[k] + 4)}" fill="var(--${one.hue})">${escaped(one.name)}</text>`));
  return parts.join("") + "</svg>";
}

function axes(spec, labels, toX, toY, box) {
  const { left, right, top, bottom, width, height } = box, texts = [], ends = [];
  let grid = "", small = "";
  for (const [tick, text] of labels) {
    const at = px(toY(tick));
    if (at < top - 1 || at > height - bottom + 1) continue;
    grid += `M${px(left)} ${at}H${px(width - right)}`;
    ends.push(`<text x="${px(left - 7)}" y="${px(Number(at) + 4.5)}">${escaped(text)}</text>`);
  }
  const room = Math.max(2, Math.floor((width - left - right) / 70));
  // Ticks that are given have names, and each is wanted.
  const gap = spec.x.ticks ? 2 : 6;
  let free = -Infinity;
  for (const tick of ticks(spec.x, room)) {
    const at = toX(tick), text = spec.x.text ? spec.x.text(tick) : shown(tick, 3), half = widthOf(text) / 2;
    if (at < left - 1 || at > width - right + 1) continue;
    small += `M${px(at)} ${px(height - bottom)}v4`;
    if (at - half < free) continue;
    texts.push(`<text x="${px(Math.min(at, width - half - 1))}" y="${px(height - bottom + 18)}">${escaped(text)}</text>`);
    free = at + half + gap;
  }
  if (spec.x.label)
    texts.push(`<text x="${px((left + width - right) / 2)}" y="${height - 8}">${escaped(spec.x.label)}</text>`);
  const start = spec.y.label
    ? `<text x="${px(Math.max(2, left - 7 - Math.min(left - 9, widthOf(spec.y.label) / 2)))}" y="14">${escaped(spec.y.label)}</text>` : "";
  return `<path d="${grid}" stroke="var(--line)"/>` +
    `<path d="${small}M${px(left)} ${top}V${px(height - bottom)}H${px(width - right)}" fill="none" stroke="var(--muted)"/>` +
    `<g fill="var(--muted)">${start}<g text-anchor="end">${ends.join("")}</g><g text-anchor="middle">${texts.join("")}</g></g>`;
}

function acrossLine(mark, toX, toY, { left, right, top, bottom, width, height }) {
  const hue = mark.hue || "ink", upright = mark.x !== undefined;
  const at = upright ? toX(mark.x) : toY(mark.y);
  const [low, high] = upright ? [left, width - right] : [top, height - bottom];
  if (!(at >= low - 1 && at <= high + 1)) return "";
  const path = upright ? `M${px(at)} ${top}V${px(height - bottom)}` : `M${px(left)} ${px(at)}H${px(width - right)}`;
  const end = upright && at + 6 + widthOf(mark.label || "") > width - right;
  const [tx, ty, anchor] = upright
    ? [at + (end ? -6 : 6), top + 13, end ? "end" : "start"]
    : [width - right - 6, at + (at < top + 20 ? 16 : -6), "end"];
  const label = mark.label
    ? `<text x="${px(tx)}" y="${px(ty)}" text-anchor="${anchor}" fill="var(--${hue})">${escaped(mark.label)}</text>` : "";
  return `<path d="${path}" stroke="var(--${hue})" stroke-dasharray="2 4"/>${label}`;
}

// Rows of cells as an HTML table; the first cell of each names the row. Cells are text.
function tableOf(head, rows, caption = "") {
  const line = (cells, tag) => cells.map((cell, k) =>
    k ? `<${tag}>${escaped(cell)}</${tag}>` : `<th scope="${tag === "th" ? "col" : "row"}">${escaped(cell)}</th>`).join("");
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(caption || head[0] || "")}"><table>` +
    (caption ? `<caption>${escaped(caption)}</caption>` : "") +
    `<thead><tr>${line(head, "th")}</tr></thead><tbody>` +
    rows.map((row) => `<tr>${line(row, "td")}</tr>`).join("") + "</tbody></table></div>";
}
