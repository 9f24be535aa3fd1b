// The controls of the playground as HTML, and a state as the text of an address.

const optionHtml = (value, title, chosen) =>
  `<option value="${escaped(value)}"${value === chosen ? " selected" : ""}>${escaped(title)}</option>`;

function choiceHtml(id, label, options, chosen) {
  const inner = options.map(([value, title]) => optionHtml(value, title, chosen)).join("");
  return `<label class="control" for="${id}"><span>${escaped(label)}</span><select id="${id}">${inner}</select></label>`;
}

function sliderHtml(id, label, low, high, step, value, text = shown(value)) {
  return `<label class="control" for="${id}"><span>${escaped(label)} <output for="${id}">${escaped(text)}</output></span>` +
    `<input type="range" id="${id}" min="${low}" max="${high}" step="${step}" value="${value}" aria-valuetext="${escaped(text)}"></label>`;
}

const RATES = [-6, 1];
// Where a rate stands on its slider, which holds positive ones only.
const rateAt = (lr) => (lr > 0 ? Math.min(Math.max(Math.log10(lr), RATES[0]), RATES[1]) : RATES[0]);

const numberHtml = (k, name, value) =>
  `<label class="control" for="hyper-${k}-${name}"><span>${escaped(name)}</span>` +
  `<input type="text" inputmode="decimal" autocomplete="off" id="hyper-${k}-${name}" data-hyper="${escaped(name)}" ` +
  `aria-describedby="faults-${k}" value="${value}"></label>`;

const unreadHtml = (name, text, value) =>
  `<div class="fault"><p>${escaped(say("playground.unread", { name, text, value: shown(value) }))}</p></div>`;

function optimizerHtml(state, k) {
  const optimizer = state.optimizers[k], { rule, faults } = ruleOf(optimizer);
  const names = [...RULE_NAMES.map((name) => [name, titleOf(name)]), [OWN, say("playground.own")]];
  const hypers = rule ? hypersOf(optimizer, rule) : {};
  const rated = Object.hasOwn(hypers, "lr");
  const others = Object.entries(hypers).filter(([name]) => name !== "lr").map(([name, value]) => numberHtml(k, name, value));
  const letter = LETTERS[k];
  return `<fieldset class="optimizer" data-optimizer="${k}"><legend><span class="swatch" style="background:var(--${HUES[k]})"></span>` +
    `${escaped(say("playground.optimizer_named", { letter }))}</legend>` +
    choiceHtml(`rule-${k}`, say("playground.rule"), names, optimizer.rule) +
    (rated ? sliderHtml(`lr-${k}`, say("playground.lr"), RATES[0], RATES[1], 0.05, rateAt(hypers.lr), shown(hypers.lr)) +
      numberHtml(k, "lr", hypers.lr) : "") +
    (optimizer.rule === OWN
      ? `<label class="control" for="text-${k}"><span>${escaped(say("playground.text"))}</span>` +
        `<textarea id="text-${k}" rows="${Math.min(16, optimizer.text.split("\n").length + 1)}" spellcheck="false" autocapitalize="off" ` +
        `autocomplete="off" aria-describedby="faults-${k}" aria-invalid="${faults.length > 0}" maxlength="${LONGEST}">\n${escaped(optimizer.text)}</textarea></label>` : "") +
    `<div class="faults" id="faults-${k}" role="status" aria-live="polite">${faultsHtml(faults)}</div>` +
    (others.length ? `<details><summary>${escaped(say("playground.others", { letter }))}</summary><div class="hypers">${others.join("")}</div></details>` : "") +
    (state.optimizers.length > LEAST_OPTIMIZERS
      ? `<div class="buttons"><button type="button" data-act="remove">${escaped(say("playground.remove", { letter }))}</button></div>` : "") +
    "</fieldset>";
}

// What is set once; the parts below change with every step.
function setupHtml(state) {
  const problems = PROBLEM_NAMES.map((name) => [name, say(`playground.problem.${name}`)]);
  const view = viewOf(state), start = startOf(state);
  // Steps are counted from the start itself, so that it lies on one.
  const starts = coordinates(state).map((name, i) => {
    const [low, high] = view[i], step = Number(((high - low) / 200).toPrecision(2));
    const least = start[i] < low ? low : rounded(start[i] - Math.floor((start[i] - low) / step) * step);
    return sliderHtml(`start-${i}`, say("playground.start", { name }), least, high, step, start[i]);
  });
  return `<div class="grid">${choiceHtml("problem", say("playground.problem_label"), problems, state.problem)}` +
    choiceHtml("length", say("playground.length"), LENGTHS.map((n) => [String(n), String(n)]), String(state.length)) + "</div>" +
    `<details><summary>${escaped(say("playground.noise_and_start"))}</summary><div class="grid">` +
    sliderHtml("noise", say("playground.noise"), 0, 3, 0.05, state.noise) +
    sliderHtml("seed", say("playground.seed"), 0, 20, 1, state.seed) + starts.join("") + "</div></details>" +
    `<div class="optimizers">${state.optimizers.map((_, k) => optimizerHtml(state, k)).join("")}</div>` +
    `<div class="buttons">${button("add", state.optimizers.length >= MOST_OPTIMIZERS)}${button("reset")}</div>`;
}

const button = (act, off = false) =>
  `<button type="button" data-act="${act}"${off ? " disabled" : ""}>` +
  `${escaped(say(act === "add" || act === "reset" ? `playground.${act}` : `button.${act}`))}</button>`;

const transportHtml = (state) => sliderHtml("t", say("axis.step"), 0, state.length, 1, state.t) +
  `<div class="buttons">${["again", "back", "step", "ten", "play"].map((act) => button(act)).join("")}</div>`;

const chosenHtml = (state) =>
  choiceHtml("chosen", say("playground.chosen"), state.optimizers.map((_, k) => [String(k), fullNameOf(state, k)]), String(state.chosen)) +
  choiceHtml("coordinate", say("playground.coordinate"), coordinates(state).map((name, i) => [String(i), name]), String(state.coordinate));

// The inside of the playground, complete without a script but for the controls.
function playgroundHtml(state, width = 480) {
  const parts = playgroundParts(state, width);
  return `<p class="set">${escaped(setSentence(state))}</p><form class="setup" aria-label="${escaped(say("controls"))}">${setupHtml(state)}</form>` +
    `<div class="stage"><form class="transport" aria-label="${escaped(say("axis.step"))}">${transportHtml(state)}</form>` +
    `<p class="sentence" aria-live="polite">${parts.sentence}</p>` +
    `<div class="pictures">${parts.pictures}</div>` +
    `<form class="chosen-one" aria-label="${escaped(say("playground.chosen"))}">${chosenHtml(state)}</form>` +
    `<div class="inside">${parts.inside}</div><div class="numbers">${parts.numbers}</div></div>`;
}

// Names and values of an address, and back; V8 alone, where pages are built, has no URLSearchParams.
const pairsOf = (text) => text.split("&").filter(Boolean).map((pair) => {
  const [name, ...value] = pair.split("=");
  const plain = (one) => { try { return decodeURIComponent(one.replace(/\+/g, " ")); } catch { return ""; } };
  return [plain(name), plain(value.join("="))];
});
const pairsText = (pairs) => pairs.map(([name, value]) =>
  `${name}=${encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%20/g, "+")}`).join("&");

// The address: what differs from the start state, and every optimizer.
function addressOf(state) {
  const plain = startState(), given = [];
  for (const name of ["problem", "length", "t", "noise", "seed", "chosen", "coordinate"])
    if (state[name] !== plain[name]) given.push([name, String(state[name])]);
  if (state.start) given.push(["start", state.start.map(rounded).join(",")]);
  for (const { rule, hypers, text } of state.optimizers) {
    const known = ruleOf({ rule, text }).rule, usual = known ? Object.fromEntries(known.hypers) : {};
    const set = Object.entries(hypers).filter(([name, value]) => value !== usual[name] && (!known || Object.hasOwn(usual, name)));
    given.push(["o", [rule, ...set.map(([name, value]) => `${name}:${value}`)].join(",")]);
    if (rule === OWN) given.push(["text", text.length <= LONGEST ? text : ""]);
  }
  return pairsText(given);
}

// The state that an address names; whatever it has not, or has wrong, is as at the start.
function stateOf(address) {
  const state = startState(), pairs = pairsOf(address), given = new Map(pairs);
  const every = (name) => pairs.filter(([one]) => one === name).map(([, value]) => value);
  const number = (name, low, high, whole) => {
    const value = typed(given.get(name) || "");
    if (!Number.isFinite(value)) return;
    const held = Math.min(Math.max(value, low), high);
    state[name] = whole ? Math.round(held) : held;
  };
  if (PROBLEM_NAMES.includes(given.get("problem"))) state.problem = given.get("problem");
  if (LENGTHS.includes(Number(given.get("length")))) state.length = Number(given.get("length"));
  number("t", 0, state.length, true);
  state.t = Math.min(state.t, state.length);
  number("noise", 0, 3, false);
  number("seed", 0, 20, true);
  const start = (given.get("start") || "").split(",").map(typed);
  if (given.get("start") && start.length === startOf(state).length && start.every((x) => Math.abs(x) <= 1000)) state.start = start;
  const texts = every("text");
  const found = every("o").slice(0, MOST_OPTIMIZERS).map((one) => {
    const [rule, ...set] = one.split(",");
    if (rule !== OWN && !RULE_NAMES.includes(rule)) return null;
    const hypers = set.map((pair) => pair.split(":")).filter(([name, value]) => /^\p{XID_Start}\p{XID_Continue}*$/u.test(name) && Number.isFinite(typed(value || "")));
    return { rule, hypers: Object.fromEntries(hypers.map(([name, value]) => [name, typed(value)])),
      // One character too many for the reader, which says so; a page of them would not open for seconds.
      text: rule === OWN ? (texts.shift() || "").slice(0, LONGEST + 1) : "" };
  }).filter(Boolean);
  if (found.length) state.optimizers = found;
  number("chosen", 0, state.optimizers.length - 1, true);
  state.chosen = Math.min(state.chosen, state.optimizers.length - 1);
  number("coordinate", 0, coordinates(state).length - 1, true);
  return state;
}
