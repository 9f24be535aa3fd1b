// What binds the playground to its page; runs in a browser only.

// Make an element what another one is, and leave what is the same already.
function become(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  const { value } = fresh, parts = [...fresh.childNodes];
  // Whether a part is unfolded is the reader's.
  for (const { name } of [...old.attributes])
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  let spot = old.firstChild;
  for (const one of parts) {
    let match = spot;
    while (match && !alike(match, one)) match = match.nextSibling;
    if (!match) {
      old.insertBefore(one, spot);
      continue;
    }
    while (spot !== match) spot = dropped(spot);
    become(match, one);
    spot = match.nextSibling;
  }
  while (spot) spot = dropped(spot);
  if (value !== undefined && old.value !== value) old.value = value;
}

const alike = (a, b) => a.nodeType === b.nodeType && a.tagName === b.tagName && a.id === b.id &&
  a.htmlFor === b.htmlFor;

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function bindPlayground(root) {
  let state = stateOf(location.hash.slice(1)), timer = 0;
  const part = (kind) => root.querySelector(`.${kind}`), control = (id) => document.getElementById(id);
  const put = (kind, html) => { if (part(kind).innerHTML !== html) part(kind).innerHTML = html; };
  const width = () => {
    const box = part("pictures"), columns = box.clientWidth >= 760 ? 2 : 1;
    return Math.max(280, Math.floor((box.clientWidth - (columns - 1) * 24) / columns));
  };
  const draw = () => {
    const parts = playgroundParts(state, width());
    for (const kind of ["pictures", "inside", "numbers", "sentence"]) put(kind, parts[kind]);
    put("set", escaped(setSentence(state)));
  };
  const valueOf = (id, value, text) => {
    control(id).value = value;
    control(id).setAttribute("aria-valuetext", text);
    root.querySelector(`output[for="${id}"]`).textContent = text;
  };
  const at = (t) => {
    state.t = Math.min(Math.max(t, 0), state.length);
    valueOf("t", state.t, shown(state.t));
  };
  // What is wrong with an optimizer; aloud, all is written again, as nothing was said while it was typed.
  const tell = (k, aloud) => {
    const box = control(`faults-${k}`), { rule, faults } = ruleOf(state.optimizers[k]);
    const unread = !rule ? [] : [...root.querySelectorAll(`[data-optimizer="${k}"] [data-hyper][aria-invalid="true"]`)];
    speaks(box, aloud);
    if (aloud) box.replaceChildren();
    const html = faultsHtml(faults) + unread.map((one) =>
      unreadHtml(one.dataset.hyper, one.value, hypersOf(state.optimizers[k], rule)[one.dataset.hyper])).join("");
    if (box.innerHTML !== html) box.innerHTML = html;
  };
  // Controls that stay are the elements that they were: focus, a press half done, what is unfolded.
  const build = () => {
    for (const [kind, html] of [["setup", setupHtml], ["transport", transportHtml], ["chosen-one", chosenHtml]]) {
      const fresh = part(kind).cloneNode(false);
      fresh.innerHTML = html(state);
      become(part(kind), fresh);
    }
    draw();
  };
  const keep = () => putAddress(addressOf(state));
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    speaks(part("sentence"), true);
    root.querySelector('[data-act="play"]').textContent = say("button.play");
  };
  const play = () => {
    if (state.t >= state.length) at(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { at(state.length); return draw(); }
    root.querySelector('[data-act="play"]').textContent = say("button.stop");
    speaks(part("sentence"), false);
    timer = setInterval(() => {
      at(state.t + Math.max(1, Math.round(state.length / 120)));
      const over = state.t >= state.length;
      if (over) stop();
      draw();
      if (over) keep();
    }, 60);
  };

  const changed = {
    problem: (value) => Object.assign(state, { problem: value, start: null, coordinate: 0 }),
    length: (value) => { state.length = Number(value); state.t = Math.min(state.t, state.length); },
    chosen: (value) => { state.chosen = Number(value); },
    coordinate: (value) => { state.coordinate = Number(value); },
  };
  const slid = {
    noise: (value) => { state.noise = value; },
    seed: (value) => { state.seed = value; },
    t: (value) => { state.t = value; },
    start: (value, i) => { state.start = startOf(state).map((x, k) => (k === i ? value : x)); },
    lr: (value, k) => { state.optimizers[k].hypers.lr = rounded(10 ** value); },
  };

  root.addEventListener("input", ({ target }) => {
    stop();
    const [kind, index] = target.id.split("-"), k = Number(index);
    if (target.type === "range") {
      slid[kind](Number(target.value), k);
      valueOf(target.id, target.value, shown(kind === "lr" ? state.optimizers[k].hypers.lr : Number(target.value)));
      if (kind === "lr") Object.assign(control(`hyper-${k}-lr`), { value: state.optimizers[k].hypers.lr }).removeAttribute("aria-invalid");
    } else if (kind === "text") {
      state.optimizers[k].text = target.value;
      target.setAttribute("aria-invalid", String(ruleOf(state.optimizers[k]).faults.length > 0));
      tell(k, false);
    } else if (kind === "hyper") {
      const value = typed(target.value), good = Number.isFinite(value), { hyper } = target.dataset;
      target.setAttribute("aria-invalid", String(!good));
      if (good) state.optimizers[k].hypers[hyper] = value;
      if (good && hyper === "lr") valueOf(`lr-${k}`, rateAt(value), shown(value));
      tell(k, false);
    } else return;
    draw();
  });
  root.addEventListener("change", ({ target }) => {
    const [kind, index] = target.id.split("-"), k = Number(index);
    if (kind === "rule") choose(k, target.value);
    else if (changed[kind]) { changed[kind](target.value); build(); }
    else if (kind === "text" || kind === "hyper") {
      tell(k, true);
      if (kind === "text") build();
    }
    keep();
  });
  // A text begins with the rule that stood there.
  const choose = (k, rule) => {
    const one = state.optimizers[k], before = ruleOf(one).rule;
    if (rule === OWN && !one.text && before) one.text = textOf(before);
    const lr = one.hypers.lr;
    Object.assign(one, { rule, hypers: lr === undefined ? {} : { lr } });
    build();
  };
  const acts = {
    again: () => at(0), back: () => at(state.t - 1), step: () => at(state.t + 1), ten: () => at(state.t + 10),
    add: () => {
      state.optimizers.push({ rule: "momentum", hypers: { lr: 0.01 }, text: "" });
      build();
      control(`rule-${state.optimizers.length - 1}`).focus();
    },
    remove: (k) => {
      state.optimizers.splice(k, 1);
      state.chosen = Math.min(state.chosen, state.optimizers.length - 1);
      build();
      control("rule-0").focus();
    },
    reset: () => { state = startState(); build(); },
  };
  root.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-act]");
    if (pressed) {
      const was = timer, { act } = pressed.dataset, card = pressed.closest("[data-optimizer]");
      stop();
      if (act !== "play") acts[act](card && Number(card.dataset.optimizer));
      else if (!was) play();
      if (!timer) { draw(); keep(); }
      return;
    }
    const svg = event.target.closest("svg[data-box]");
    if (svg) pick(svg, event);
  });
  // A click on the picture is where runs start.
  const pick = (svg, event) => {
    const [left, top, right, bottom] = svg.dataset.box.split(" ").map(Number), box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width, view = viewOf(state);
    const x = ((event.clientX - box.left) * scale - left) / (right - left);
    const y = (bottom - (event.clientY - box.top) * scale) / (bottom - top);
    if (x < 0 || x > 1 || y < 0 || y > 1) return;
    state.start = startOf(state).map((_, i) => Number((view[i][0] + [x, y][i] * (view[i][1] - view[i][0])).toPrecision(3)));
    build();
    keep();
  };
  root.addEventListener("submit", (event) => event.preventDefault());
  const restore = () => {
    stop();
    const address = location.hash.slice(1);
    if (address && !address.includes("=")) return;
    state = stateOf(address);
    build();
  };
  build();
  addEventListener("hashchange", restore);
  writeBeforeLeaving();
  let last = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== last) { last = innerWidth; draw(); } });
}

document.documentElement.classList.add("live");
bindPlayground(document.getElementById("ground"));
