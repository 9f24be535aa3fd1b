// The words of a formula, random numbers, and an optimizer on a problem; no drawing, no page.

const W = {
  each: (n, value) => { const made = new Array(n); for (let i = 0; i < n; i++) made[i] = value(i); return made; },
  sqrt: Math.sqrt, abs: Math.abs, sign: Math.sign, exp: Math.exp, log: Math.log,
  sin: Math.sin, cos: Math.cos, tanh: Math.tanh, atan2: Math.atan2,
  maximum: Math.max, minimum: Math.min,
  where: (condition, a, b) => (condition ? a : b),
  clip: (x, low, high) => Math.min(Math.max(x, low), high),
  power: (x, y) => (y === 2 ? x * x : Math.pow(x, y)),
  // Of the sign of y, as in Python; `%` has that of x.
  remainder: (x, y) => { const r = x % y; return r === 0 ? (y < 0 ? -0 : 0) : r < 0 === y < 0 ? r : r + y; },
  floored: (x, y) => {
    if (y === 0) return x / y;
    const quotient = (x - W.remainder(x, y)) / y, whole = Math.floor(quotient);
    return whole + (quotient - whole > 0.5 ? 1 : 0);
  },
  total: (f, n, value) => { let sum = 0; for (let i = 0; i < n; i++) sum += value(i); return f(sum); },
  mean: (f, n, value) => f(W.total(Number, n, value) / n),
  rms: (f, n, value) => f(Math.sqrt(W.total(Number, n, (i) => value(i) * value(i)) / n)),
  norm: (f, n, value) => f(Math.sqrt(W.total(Number, n, (i) => value(i) * value(i)))),
};

// Number `index` of the stream `seed`, from [0, 1): a multiple of 2**-32, the same in Python.
function uniform(seed, index) {
  let z = (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca77)) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad) >>> 0;
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97) >>> 0;
  return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
}

// Of mean 0 and variance 1: the sum of twelve uniform numbers less 6, exact in float64.
function normal(seed, index) {
  let sum = -6;
  for (let k = 0; k < 12; k++) sum += uniform(seed, 12 * index + k);
  return sum;
}

const exact = (x) => x;

// A rule on a problem, step by step. `options`: hypers, start, noise, seed, round ("float32").
class Run {
  constructor(rule, problem, options = {}) {
    this.rule = rule;
    this.problem = problem;
    this.round = options.round === "float32" ? Math.fround : exact;
    this.hypers = Object.fromEntries(rule.hypers);
    Object.assign(this.hypers, options.hypers);
    this.noise = options.noise || 0;
    this.seed = options.seed || 0;
    this.p = (options.start || problem.start).map(this.round);
    this.n = this.p.length;
    this.t = 0;
    this.states = rule.states.map(([, initial, single]) =>
      single ? initial : new Array(this.n).fill(initial));
  }

  // The gradient at the point, and with noise a random number added to each of its elements.
  gradient() {
    const slope = this.problem.gradient(...this.p, ...(this.problem.timed ? [this.t + 1] : []));
    const g = Array.isArray(slope) ? slope : [slope];
    return this.noise
      ? g.map((x, i) => this.round(x + this.noise * normal(this.seed, this.t * this.n + i)))
      : g.map(this.round);
  }

  // One step; returns the gradient, the value of every line, and the point afterwards.
  step(g = this.gradient()) {
    this.t += 1;
    const hypers = this.rule.hypers.map(([name]) => {
      const value = this.hypers[name];
      return typeof value === "function" ? value(this.t) : value;
    });
    const before = this.p;
    const values = this.rule.step(this.round, this.n, this.p, g, ...this.states, this.t, ...hypers);
    const given = { p: before, g, t: this.t, rows: this.n, columns: 1 };
    this.rule.hypers.forEach(([name], k) => { given[name] = hypers[k]; });
    this.rule.states.forEach(([name], k) => { given[name] = this.states[k]; });
    const [p, ...states] = this.rule.outputs.map((at, k) => {
      const value = typeof at === "number" ? values[at] : given[at];
      const single = k > 0 && this.rule.states[k - 1][2];
      return single || Array.isArray(value) ? value : new Array(this.n).fill(value);
    });
    this.p = this.problem.low === undefined ? p
      : p.map((x) => W.clip(x, this.problem.low, this.problem.high));
    this.states = states;
    return { t: this.t, g, values, before, p: this.p, states };
  }

  loss() {
    return this.problem.loss(...this.p);
  }

  state(name) {
    return this.states[this.rule.states.findIndex(([own]) => own === name)];
  }
}

// `steps` steps; returns points (one more than steps), losses, and the records of the steps.
function trace(rule, problem, steps, options = {}) {
  const run = new Run(rule, problem, options);
  const points = [run.p], losses = [run.loss()], records = [];
  for (let k = 0; k < steps; k++) {
    records.push(run.step());
    points.push(run.p);
    losses.push(run.loss());
  }
  return { points, losses, records, run };
}

// The tutorial's line as a problem of one weight, or of weight and bias. With `batch` a gradient is
// that of so many points, drawn with `seed`; sums go in the order of the points, as in Python.
function lineProblem({ bias = false, batch = 0, seed = 0 } = {}) {
  const { x, y } = LINE;
  const all = x.map((_, k) => k);
  const loss = (w, b = 0) => {
    let total = 0;
    for (const k of all) { const error = x[k] * w + b - y[k]; total += error * error; }
    return total / x.length;
  };
  const gradient = (w, ...rest) => {
    const t = rest[rest.length - 1], b = bias ? rest[0] : 0;
    const chosen = batch
      ? Array.from({ length: batch }, (_, k) => Math.floor(uniform(seed, t * batch + k) * x.length))
      : all;
    let byW = 0, byB = 0;
    for (const k of chosen) {
      const error = x[k] * w + b - y[k];
      byW += error * x[k];
      byB += error;
    }
    const slope = [2 * (byW / chosen.length), 2 * (byB / chosen.length)];
    return bias ? slope : slope.slice(0, 1);
  };
  const start = bias ? [0, 0] : [0];
  const view = bias ? [[-0.5, 3.5], [-1.5, 2.5]] : [[-0.5, 5.5]];
  const least = LINE.least[bias ? 1 : 0];
  return { name: "line", start, view, least, timed: true, loss, gradient };
}

// `adamas.schedule.cosine`: from lr at step 1 to `end` after so many steps.
const cosine = (lr, steps, end = 0) => (t) => halfCosine(lr, end, t - 1, steps);
