// Figures to play with: controls with values, and pure functions from values to what is shown.

// TEXT is the page's sentences by key, in its language; `{name}` in them is filled in.
function say(key, fields = {}) {
  const text = (typeof TEXT === "undefined" ? {} : TEXT)[key];
  if (text === undefined) throw new Error(`no sentence ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in fields)) throw new Error(`${key} lacks ${name}`);
    return fields[name];
  });
}

/* PLAYS[name] = { controls: [...], show(values, width) }, where show returns
   { picture: SVG text or "", numbers: HTML text or "", sentence: text that is read aloud or "" }.
   The sentences `play.<name>.<control>` label the controls. */
const PLAYS = {};

// A number between `low` and `high` in steps of `step`.
const range = (name, low, high, step, value) => ({ kind: "range", name, low, high, step, value });
// A positive number, moved by its decimal logarithm; `value` is the number itself.
const logRange = (name, low, high, value, step = 0.05) =>
  ({ kind: "log", name, low: Math.log10(low), high: Math.log10(high), step, value });
// One of several, whose names are the sentences `play.<play>.<control>.<option>`, or given.
const choice = (name, options, value, titles) => ({ kind: "choice", name, options, value, titles });
const toggle = (name, value) => ({ kind: "toggle", name, value });
// A number of steps, with buttons: back, one step, ten steps, play, start again.
const stepper = (name, high, value) => ({ kind: "steps", name, low: 0, high, step: 1, value });

// What a rule is called: `names` has what its paper writes.
const titleOf = (rule) => (typeof NAMES === "undefined" ? {} : NAMES)[rule] || rule;

function startValues(play) {
  return Object.fromEntries(play.controls.map((one) => [one.name, one.value]));
}

// The nearest number that the slider of a control can stand on.
function onStep({ low, high, step }, value) {
  const most = Math.floor((high - low) / step + 1e-9);
  return rounded(low + Math.min(Math.max(Math.round((value - low) / step), 0), most) * step);
}

// The value that a text of the address gives a control, or the control's own where it gives none.
function parsedValue(control, text) {
  if (control.kind === "toggle") return text === "1";
  if (control.kind === "choice") return control.options.includes(text) ? text : control.value;
  const value = typed(text);
  if (!Number.isFinite(value)) return control.value;
  return control.kind === "log" ? Math.min(Math.max(value, 10 ** control.low), 10 ** control.high) : onStep(control, value);
}

// To as many digits as the address holds, so that whoever opens it sees the same run.
const rounded = (value) => Number(value.toPrecision(6));

// The number that somebody typed: full-width digits, a comma and a typographic minus are read too.
function typed(text) {
  const plain = text.normalize("NFKC").trim().replaceAll("−", "-").replace(",", ".");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

const valueText = (control, value) =>
  control.kind === "toggle" ? (value ? "1" : "0")
    : typeof value === "number" ? String(rounded(value)) : value;

function controlHtml(name, control, value) {
  const id = `${name}-${control.name}`, label = escaped(say(`play.${name}.${control.name}`));
  if (control.kind === "choice") {
    const options = control.options.map((option, k) => {
      const title = control.titles ? control.titles[k] : say(`play.${name}.${control.name}.${option}`);
      return `<option value="${escaped(option)}"${option === value ? " selected" : ""}>${escaped(title)}</option>`;
    });
    return `<label class="control"><span>${label}</span><select id="${id}" data-control="${control.name}">${options.join("")}</select></label>`;
  }
  if (control.kind === "toggle")
    return `<label class="control check"><input type="checkbox" id="${id}" data-control="${control.name}"${value ? " checked" : ""}> <span>${label}</span></label>`;
  const at = control.kind === "log" ? Math.log10(value) : value;
  const slider =
    `<label class="control" for="${id}"><span>${label} <output for="${id}">${escaped(shown(value))}</output></span>` +
    `<input type="range" id="${id}" data-control="${control.name}" min="${control.low}" max="${control.high}" ` +
    `step="${control.step}" value="${at}" aria-valuetext="${escaped(shown(value))}"></label>`;
  if (control.kind !== "steps") return slider;
  const button = (act) =>
    `<button type="button" data-act="${act}" data-of="${control.name}">${escaped(say(`button.${act}`))}</button>`;
  return `${slider}<div class="buttons">${["again", "back", "step", "ten", "play"].map(button).join("")}</div>`;
}

// Browsers refuse an address that comes after too many: Chromium after 200 in ten seconds, Safari
// after 100, and a key held down changes a slider thirty times a second. So BURST are written at once,
// and then one every REST milliseconds, always the newest.
const BURST = 100, REST = 300;
let waiting = null, spare = BURST, clock = 0;

function putAddress(text) {
  waiting = { text, from: location.href };
  if (spare > 0) writeAddress();
}

// What waits was made at an address: who has gone to another one since is not taken back.
function writeAddress() {
  if (!waiting) return;
  clock ||= setInterval(again, REST);
  spare -= 1;
  try {
    if (waiting.from === location.href) history.replaceState(null, "", `#${waiting.text}`);
    waiting = null;
  } catch (error) {
    if (error.name !== "SecurityError") throw error;
    spare = 0;
  }
}

function again() {
  spare += 1;
  if (spare > 0) writeAddress();
  if (spare < BURST) return;
  clearInterval(clock);
  clock = 0;
}

// Who follows a link leaves the address behind as it should be.
function writeBeforeLeaving() {
  addEventListener("click", ({ target }) => { if (target.closest("a")) writeAddress(); }, true);
}

// Whether a sentence is read aloud when it changes: one for every frame would be too many to listen to.
const speaks = (sentence, aloud) => sentence.setAttribute("aria-live", aloud ? "polite" : "off");

// What a figure shows for these values: the parts that change.
function shownParts(name, values, width) {
  const found = PLAYS[name].show(values, width);
  return {
    picture: found.picture || "",
    numbers: found.numbers || "",
    sentence: found.sentence ? escaped(found.sentence) : "",
  };
}

// The inside of a figure, for the page as it is built: complete without a script.
function playHtml(name, width = 640) {
  const play = PLAYS[name], values = startValues(play), parts = shownParts(name, values, width);
  return `<div class="picture">${parts.picture}</div><div class="numbers">${parts.numbers}</div>` +
    `<p class="sentence" aria-live="polite">${parts.sentence}</p>` +
    `<form class="controls" aria-labelledby="caption-${name}">` +
    play.controls.map((one) => controlHtml(name, one, values[one.name])).join("") + "</form>";
}
