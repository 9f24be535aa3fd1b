// The playground: a state in, what is shown out; nothing here touches a page.

const LINES = ["line", "line_bias"];
const PROBLEM_NAMES = ["line", "line_bias", "parabola", "kink", "two_wells", "waves", "reddi", "bowl", "valley",
  "diagonal", "rosenbrock", "saddle", "himmelblau"];
const LENGTHS = [50, 100, 200, 500, 1000];
const OWN = "own", MOST_OPTIMIZERS = 4, LEAST_OPTIMIZERS = 1;
const RULE_NAMES = Object.keys(NAMES).filter((name) => name in RULES);
const HUES = ["adam", "sgd", "momentum", "hue3"], LETTERS = "ABCD";
// Beyond this a point is nowhere near any picture.
const FAR = 1e6;

function startState() {
  return {
    problem: "valley", length: 200, t: 60, noise: 0, seed: 1, start: null, chosen: 0, coordinate: 0,
    optimizers: [{ rule: "adam", hypers: { lr: 0.1 }, text: "" }, { rule: "sgd", hypers: { lr: 0.03 }, text: "" }],
  };
}

const LINE_PROBLEMS = { line: lineProblem(), line_bias: lineProblem({ bias: true }) };
const problemOf = (state) => LINE_PROBLEMS[state.problem] || PROBLEMS[state.problem];
const startOf = (state) => state.start || problemOf(state).start;
const coordinates = (state) =>
  LINES.includes(state.problem) ? ["w", "b"].slice(0, startOf(state).length) : ["x", "y"].slice(0, startOf(state).length);

// What was read in the texts last; a text is read once, not at every redraw.
const READ = new Map();
function remembered(map, key, make, most = 24) {
  if (!map.has(key)) {
    if (map.size >= most) map.delete(map.keys().next().value);
    map.set(key, make());
  }
  return map.get(key);
}

// The rule of an optimizer, or the faults of its text.
function ruleOf(optimizer) {
  if (optimizer.rule !== OWN) return { rule: RULES[optimizer.rule], faults: [] };
  return remembered(READ, optimizer.text, () => {
    const found = readRule(optimizer.text);
    return found.faults.length ? found : { faults: [], rule: ownRule(found) };
  });
}

// A rule of the product as one would type it.
function textOf({ name, states, hypers, names, lines, outputs }) {
  const initial = states.map(([state, value]) => (value ? `${state}=${value}` : state));
  const timed = ["t", "rows", "columns"].filter((one) => lines.some((line) => RegExp(`\\b${one}\\b`).test(line)));
  const given = [...timed, ...hypers.map(([hyper, value]) => `${hyper}=${value}`)];
  const head = ["p", "g", ...initial.filter((one) => !one.includes("=")), ...initial.filter((one) => one.includes("="))];
  const order = head.slice(2).map((one) => one.split("=")[0]);
  const value = (at) => (typeof at === "number" ? names[at] : at);
  const returned = [value(outputs[0]), ...order.map((one) => value(outputs[1 + states.findIndex(([state]) => state === one)]))];
  return `def ${name}(${head.join(", ")}${given.length ? `, *, ${given.join(", ")}` : ""}):\n` +
    `${lines.map((line) => `    ${line}\n`).join("")}    return ${returned.join(", ")}\n`;
}

// Hyper-parameters that the rule has, with the values that were set.
function hypersOf(optimizer, rule) {
  return Object.fromEntries(rule.hypers.map(([name, value]) =>
    [name, Object.hasOwn(optimizer.hypers, name) ? optimizer.hypers[name] : value]));
}

const RUNS = new Map();

// One run for each optimizer; null where its text is no rule.
function runsOf(state) {
  const common = [state.problem, state.length, state.noise, state.seed, startOf(state)];
  return state.optimizers.map((optimizer) => {
    const { rule } = ruleOf(optimizer);
    if (!rule) return null;
    const hypers = hypersOf(optimizer, rule);
    const key = JSON.stringify([...common, optimizer.rule, optimizer.rule === OWN ? optimizer.text : "", hypers]);
    return remembered(RUNS, key, () => {
      const run = trace(rule, problemOf(state), state.length,
        { hypers, start: startOf(state), noise: state.noise, seed: state.seed });
      const lost = run.points.findIndex((point) => !point.every((x) => Math.abs(x) < FAR));
      return { ...run, rule, hypers, lost: lost < 0 ? Infinity : lost };
    });
  });
}

const fullNameOf = (state, k) => {
  const { rule, faults } = ruleOf(state.optimizers[k]), own = state.optimizers[k].rule === OWN;
  const name = own ? (faults.length ? say("playground.own_short") : rule.name) : titleOf(state.optimizers[k].rule);
  return `${LETTERS[k]} ${name}`;
};

// As much of the name as fits beside a line of the narrowest picture.
const nameOf = (state, k) => {
  const letters = [...fullNameOf(state, k)], fits = (count) => widthOf(`${letters.slice(0, count).join("")}…`) <= 96;
  if (widthOf(letters.slice(0, 40).join("")) <= 96) return letters.join("");
  let count = 14;
  while (!fits(count)) count -= 1;
  return `${letters.slice(0, count).join("")}…`;
};

const pathOf = (run, t) => run.points.slice(0, Math.min(t, run.lost - 1) + 1);
const isLine = (state) => LINES.includes(state.problem);

// The view of a problem, and of where it starts.
function viewOf(state) {
  return problemOf(state).view.map(([low, high], i) => {
    const x = startOf(state)[i], room = (high - low) * 0.05;
    return [Math.min(low, x - room), Math.max(high, x + room)];
  });
}

function spaceChart(state, runs, width) {
  const problem = problemOf(state), view = viewOf(state), names = coordinates(state), { t } = state;
  const dots = [], series = [], ends = [];
  const height = names.length === 1 ? 300 : Math.round(Math.min(420, Math.max(280, width * 0.66)));
  const axis = (i) => ({ low: view[i][0], high: view[i][1], label: names[i] });
  runs.forEach((run, k) => {
    if (!run) return;
    const path = pathOf(run, t), points = names.length === 1 ? path.map(([x]) => [x, problem.loss(x)]) : path;
    if (names.length === 2) series.push({ hue: HUES[k], points, dots: path.length < 40 });
    else for (const [x, y] of points.slice(-12, -1)) dots.push({ x, y, hue: HUES[k], size: 2.5 });
    const [x, y] = points[points.length - 1];
    if (inside(x, view[0]) && (names.length === 1 || inside(y, view[1]))) ends.push({ x, y, hue: HUES[k], size: 5.5, label: LETTERS[k] });
  });
  dots.push(...lettered(ends, (a, b) => Math.abs(a.x - b.x) < 0.05 * (view[0][1] - view[0][0]) &&
    Math.abs(a.y - b.y) < 0.07 * (names.length === 2 ? view[1][1] - view[1][0] : heightOf(state))));
  const spec = { key: "space", width, height, title: say(`playground.space${names.length}`), pick: true, series, dots };
  if (names.length === 2) {
    const [x, y] = problem.least;
    dots.unshift({ x: startOf(state)[0], y: startOf(state)[1], hue: "ink", hollow: true, size: 6 });
    if (inside(x, view[0]) && inside(y, view[1])) dots.unshift({ x, y, hue: "muted", size: 3.5 });
    return chart({ ...spec, x: axis(0), y: axis(1), contours: contoursOf(state, width, height) });
  }
  const curve = Array.from({ length: 161 }, (_, k) => view[0][0] + ((view[0][1] - view[0][0]) * k) / 160);
  series.unshift({ hue: "muted", points: curve.map((x) => [x, problem.loss(x)]) });
  const losses = curve.map((x) => problem.loss(x)), low = Math.min(...losses), high = Math.max(...losses);
  return chart({ ...spec, x: axis(0),
    y: { low: low - (high - low) * 0.06, high: high + (high - low) * 0.1, label: say("axis.loss") } });
}

// Of dots that are near each other the first one has the letters of all.
function lettered(dots, near) {
  dots.forEach((dot, k) => {
    const first = dots.slice(0, k).find((one) => one.label && near(one, dot));
    if (!first) return;
    first.label += ` ${dot.label}`;
    dot.label = "";
  });
  return dots;
}

const heightOf = (state) => {
  const [low, high] = viewOf(state)[0], { loss } = problemOf(state);
  const losses = Array.from({ length: 161 }, (_, k) => loss(low + ((high - low) * k) / 160));
  return Math.max(...losses) - Math.min(...losses);
};

const inside = (x, [low, high]) => x >= low && x <= high;
const CONTOURS = new Map();
const contoursOf = (state, ...size) => remembered(CONTOURS, JSON.stringify([state.problem, viewOf(state), size]),
  () => ({ value: problemOf(state).loss, levels: levelsOf(problemOf(state)) }));

function dataChart(state, runs, width) {
  const { x, y } = LINE, at = [0, 10];
  const series = [], dots = x.map((one, k) => ({ x: one, y: y[k], hue: "muted", size: 2.2 }));
  runs.forEach((run, k) => {
    if (!run) return;
    const path = pathOf(run, state.t), [w, b = 0] = path[path.length - 1];
    series.push({ name: nameOf(state, k), hue: HUES[k], points: clippedLine(w, b, at, [-4, 30]) });
  });
  return chart({ key: "data", width, height: 300, title: say("playground.data"),
    x: { low: 0, high: 10, label: "x" }, y: { low: -4, high: 30, label: "y" }, series, dots });
}

// The part of y = w x + b that lies in the picture.
function clippedLine(w, b, [from, to], [low, high]) {
  const ends = [from, to, (low - b) / w, (high - b) / w].filter((x) => x >= from && x <= to);
  return ends.sort((p, q) => p - q).map((x) => [x, w * x + b])
    .filter(([, y]) => y >= low - 1e-9 && y <= high + 1e-9);
}

// Losses above the least one, so that a logarithm has them all.
function lossChart(state, runs, width) {
  const problem = problemOf(state), least = problem.loss(...problem.least);
  const series = [], every = [];
  runs.forEach((run, k) => {
    if (!run) return;
    const points = run.losses.slice(0, Math.min(state.length, run.lost - 1) + 1).map((loss, t) => [t, loss - least]);
    every.push(...points.map(([, loss]) => loss).filter((loss) => loss > 1e-14 && loss < 1e12));
    series.push({ name: nameOf(state, k), hue: HUES[k], points: points.map(([t, loss]) => [t, Math.max(loss, 1e-14)]) });
  });
  return chart({ key: "loss", width, height: 300, title: say("playground.loss"), series,
    x: { low: 0, high: state.length, label: say("axis.step") },
    y: { ...logAxis(every), log: true, label: say("playground.above") },
    marks: [{ x: state.t, hue: "muted" }] });
}

// Whole powers of ten around these numbers, at most fifteen of them.
function logAxis(values) {
  const logs = values.filter((x) => x > 1e-300 && x < 1e300).map(Math.log10);
  let low = Infinity, high = -Infinity;
  for (const x of logs) { low = Math.min(low, x); high = Math.max(high, x); }
  if (!logs.length) [low, high] = [-1, 1];
  high = Math.ceil(high + 1e-9);
  low = Math.max(Math.floor(low - 1e-9), high - 15);
  return { low: 10 ** Math.min(low, high - 1), high: 10 ** high };
}

// The size of what an optimizer remembers, and of its steps, in one coordinate: names with points.
function insideOf(run, i, length) {
  const records = run.records.slice(0, Math.min(length, run.lost - 1));
  const number = (value) => (Array.isArray(value) ? value[i] : value);
  const sizes = (read) => records.map((one) => [one.t, Math.abs(read(one))]);
  const line = new Map(run.rule.names.map((name, k) => [name, k]));
  const value = (name) => (one) => number(one.values[line.get(name)]);
  const memory = [
    ["g", sizes((one) => one.g[i])],
    ...run.rule.states.map(([name], k) => [name, sizes((one) => number(one.states[k]))]),
    ...[...line.keys()].filter((name) => name.endsWith("_hat")).map((name) => [name, sizes(value(name))]),
  ].slice(0, 7);
  const moving = [["|Δ|", sizes((one) => one.p[i] - one.before[i])]];
  const { lr, eps } = run.hypers;
  // The same two names as in Adam; what is divided by them is then an effective learning rate.
  if (line.has("v_hat") && lr !== undefined && eps !== undefined)
    moving.push(["lr/(√v̂+ε)", sizes((one) => lr / (Math.sqrt(value("v_hat")(one)) + eps))]);
  return { memory, moving };
}

function insideCharts(state, runs, width) {
  const run = runs[state.chosen], i = Math.min(state.coordinate, coordinates(state).length - 1);
  if (!run) return "";
  const { memory, moving } = insideOf(run, i, state.length);
  const hues = ["muted", "adam", "sgd", "momentum", "hue3", "hue2", "rmsprop"];
  const fields = { name: fullNameOf(state, state.chosen), coordinate: coordinates(state)[i] };
  const picture = (key, title, found) => `<div>${heading(say(title, fields))}${chart({
    key, width, height: 280, title: say(title, fields),
    x: { low: 1, high: Math.max(2, state.length), label: say("axis.step") },
    y: { ...logAxis(found.flatMap(([, points]) => points.map(([, y]) => y))), log: true, label: say("playground.size") },
    series: found.map(([name, points], k) => ({ name, hue: hues[k + (key === "moving" ? 1 : 0)], points,
      dashes: name.endsWith("_hat") ? "5 3" : "" })),
    marks: state.t ? [{ x: state.t, hue: "muted" }] : [],
  })}</div>`;
  return picture("memory", "playground.remembers", memory) + picture("moving", "playground.moves", moving);
}

const heading = (text) => `<h3>${escaped(text)}</h3>`;

// Where every optimizer is, as numbers, and what the chosen one computed at this step.
function numbersHtml(state, runs) {
  const names = coordinates(state), { t } = state;
  const at = (run) => run.points[Math.min(t, run.points.length - 1)];
  const rows = runs.map((run, k) => {
    if (!run) return [fullNameOf(state, k), ...names.map(() => "–"), "–"];
    return [fullNameOf(state, k), ...at(run).map((x) => shown(x, 5)), shown(run.losses[t], 5)];
  });
  const every = tableOf([say("playground.optimizer"), ...names, say("axis.loss")], rows, say("playground.all_numbers", { t }));
  const run = runs[state.chosen];
  if (!run || !t) return every;
  const record = run.records[t - 1], parts = (value) => names.map((_, i) => shown(Array.isArray(value) ? value[i] : value, 5));
  const lines = [
    [say("playground.before"), ...parts(record.before)], ["g", ...parts(record.g)],
    ...run.rule.lines.map((line, k) => [line, ...parts(record.values[k])]),
  ];
  return every + tableOf([say("playground.line"), ...names], lines,
    say("playground.numbers", { name: fullNameOf(state, state.chosen), t })).replace("<table>", '<table class="each-line">');
}

function sentenceOf(state, runs) {
  const names = coordinates(state);
  const found = runs.map((run, k) => {
    const name = fullNameOf(state, k);
    if (!run) return say("playground.no_rule", { name });
    if (state.t >= run.lost) return say("playground.lost", { name, t: run.lost });
    const point = names.map((one, i) => `${one} = ${shown(run.points[state.t][i], 4)}`).join(", ");
    return say("playground.at", { name, point, loss: shown(run.losses[state.t], 3) });
  });
  return `${say("playground.step", { t: state.t })} ${found.join(say("playground.between"))}`;
}

// What is set, for whom no script runs.
function setSentence(state) {
  const names = coordinates(state), start = startOf(state);
  const from = names.map((name, i) => `${name} = ${shown(start[i])}`).join(", ");
  const usual = (one) => ruleOf(one).rule || { hypers: [] };
  const found = state.optimizers.map((one, k) =>
    `${fullNameOf(state, k)}, ${Object.entries(hypersOf(one, usual(one))).map(([name, value]) => `${name} = ${shown(value)}`).join(", ")}`);
  return `${say("playground.set", { problem: say(`playground.problem.${state.problem}`), from, length: state.length })} ` +
    found.join(say("playground.between"));
}

// Faults of a text, each with its line and carets, first ones only.
function faultsHtml(faults) {
  const marked = (text) => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
  return faults.slice(0, 4).map(({ line, before, under, after, problem, advice }) =>
    `<div class="fault"><p><strong>${say("playground.in_line", { line })}</strong> ${marked(problem)}</p>` +
    `<pre>${escaped(before)}<mark>${escaped(under)}</mark>${escaped(after)}\n` +
    `<span class="blank">${escaped(before)}</span>${"^".repeat(Math.max(1, wide(under).length))}</pre>` +
    `<p>${marked(advice)}</p></div>`).join("");
}

// The parts that change with every step; `width` is that of one picture.
function playgroundParts(state, width) {
  const runs = runsOf(state);
  const figure = (key, svg) => `<div>${heading(say(`playground.${key}_title`))}${svg}</div>`;
  const space = figure(`space${coordinates(state).length}`, spaceChart(state, runs, width));
  const data = isLine(state) ? figure("data", dataChart(state, runs, width)) : "";
  return {
    pictures: data + space + figure("loss", lossChart(state, runs, width)),
    inside: insideCharts(state, runs, width),
    numbers: numbersHtml(state, runs),
    sentence: escaped(sentenceOf(state, runs)),
  };
}
