// What the names of a rule are before its next step, on a single number.
function numbersBefore(run, g) {
  const known = { ...run.hypers, p: run.p[0], g: g[0], t: run.t + 1 };
  run.rule.states.forEach(([name], k) => { known[name] = [run.states[k]].flat()[0]; });
  return known;
}

// A step line by line: the line, the numbers of the day put in, and the value that it gave.
function rowsOf(rule, known, values) {
  const written = (x) => (x < 0 || /[×∞]/.test(shown(x)) ? `(${shown(x)})` : shown(x));
  return linesOf(rule).map((line, k) => {
    const [left, right] = line.split(" = ");
    const put = right.replace(/\b[A-Za-z_]\w*\b/g, (name) => (name in known ? written(known[name]) : name));
    known[left] = [values[k]].flat()[0];
    return [line, put.replace(/ \* /g, " × ").replace(/ - /g, " − "), shown(known[left])];
  });
}

function stepRows(run, g = run.gradient()) {
  const known = numbersBefore(run, g);
  return rowsOf(run.rule, known, run.step(g).values);
}

// The lines without numbers, before the first step.
const emptyRows = (rule) => linesOf(rule).map((line) => [line, "", ""]);

// The lines of a rule as its file has them.
const linesOf = (rule) => rule.lines.map((line) => line.replace(/ \*\* /g, "**"));

function linesTable(rows, caption) {
  const head = ["line", "put", "value"].map((key) => say(`play.lines.${key}`));
  return tableOf(head, rows, caption).replace("<table>", '<table class="lines">');
}

PLAYS.one = {
  controls: [
    choice("rule", ["sgd", "momentum", "rmsprop", "adam"], "sgd", ["SGD", "Momentum", "RMSProp", "Adam"]),
    logRange("lr", 0.001, 3, 0.1),
    stepper("t", 60, 1),
  ],
  show({ rule, lr, t }, width) {
    const problem = PROBLEMS.parabola, run = new Run(RULES[rule], problem, { hypers: { lr } });
    const passed = [run.p[0]];
    let rows = emptyRows(RULES[rule]);
    for (let k = 1; k <= t; k++) {
      if (k === t) rows = stepRows(run);
      else run.step();
      passed.push(run.p[0]);
    }
    const now = passed[t], from = passed[Math.max(0, t - 1)];
    const side = Math.max(2.4, 1.15 * Math.abs(now), 1.15 * Math.abs(from));
    const curve = Array.from({ length: 81 }, (_, k) => side * (k / 40 - 1)).map((w) => [w, problem.loss(w)]);
    const high = problem.loss(side), slope = problem.gradient(from);
    const tangent = [-0.35, 0.35].map((s) => [from + s * side, problem.loss(from) + s * side * slope]);
    return {
      picture: chart({
        key: "one", width, height: 280, title: say("play.one.title"),
        x: { low: -side, high: side, label: say("axis.w") },
        y: { low: -0.06 * high, high, label: say("axis.loss") },
        series: [{ hue: "muted", points: curve }, { hue: "ink", points: tangent, dashes: "5 4" }],
        dots: [
          ...passed.slice(0, t).map((w) => ({ x: w, y: problem.loss(w), hue: rule, size: 3, hollow: true })),
          { x: now, y: problem.loss(now), hue: rule, size: 5.5 },
        ],
        marks: [{ x: now, label: `w = ${shown(now)}`, hue: rule }],
      }),
      numbers: linesTable(rows, say("play.one.lines", { t, rule: titleOf(rule) })),
      sentence: say(t ? "play.one.sentence" : "play.one.before",
        { t, from: shown(from), to: shown(now), length: shown(Math.abs(now - from)), times: shown(Math.abs(now - from) / lr) }),
    };
  },
};
