// What binds the figures to the page that they stand on; runs in a browser only.

function bind(figure) {
  const name = figure.dataset.play, play = PLAYS[name];
  const values = startValues(play), part = (kind) => figure.querySelector(`.${kind}`);
  const control = (key) => play.controls.find((one) => one.name === key);
  let timer = 0;

  const width = () => Math.max(280, Math.min(760, Math.floor(part("picture").clientWidth) || 640));
  const draw = () => {
    const parts = shownParts(name, values, width());
    for (const kind of ["picture", "numbers", "sentence"])
      if (part(kind).innerHTML !== parts[kind]) part(kind).innerHTML = parts[kind];
  };
  const write = (key, value) => {
    values[key] = value;
    const one = control(key), input = figure.querySelector(`[data-control="${key}"]`);
    if (one.kind === "toggle") input.checked = value;
    else if (one.kind === "choice") input.value = value;
    else {
      input.value = one.kind === "log" ? Math.log10(value) : value;
      input.setAttribute("aria-valuetext", shown(value));
      figure.querySelector(`output[for="${input.id}"]`).textContent = shown(value);
    }
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    speaks(part("sentence"), true);
    for (const button of figure.querySelectorAll('[data-act="play"]')) button.textContent = say("button.play");
  };
  const move = (key, act) => {
    const one = control(key), now = values[key];
    const to = { again: 0, back: now - 1, step: now + 1, ten: now + 10 }[act];
    write(key, Math.min(Math.max(to, one.low), one.high));
    draw();
  };
  const start = (key, button) => {
    const one = control(key);
    if (values[key] >= one.high) write(key, 0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      write(key, one.high);
      draw();
      keep();
      return;
    }
    button.textContent = say("button.stop");
    speaks(part("sentence"), false);
    const pace = Math.max(1, Math.round(one.high / 120));
    timer = setInterval(() => {
      write(key, Math.min(values[key] + pace, one.high));
      const over = values[key] >= one.high;
      if (over) stop();
      draw();
      if (over) keep();
    }, 60);
  };
  const keep = () => keepInAddress(name, play, values);

  figure.addEventListener("input", (event) => {
    const key = event.target.dataset.control;
    if (!key) return;
    stop();
    const one = control(key), raw = event.target;
    write(key, one.kind === "toggle" ? raw.checked : one.kind === "choice" ? raw.value
      : one.kind === "log" ? rounded(10 ** Number(raw.value)) : Number(raw.value));
    draw();
  });
  figure.addEventListener("change", keep);
  figure.addEventListener("submit", (event) => event.preventDefault());
  figure.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const { act, of } = button.dataset, was = timer;
    stop();
    if (act !== "play") { move(of, act); keep(); } else if (!was) start(of, button);
    else keep();
  });
  return {
    name,
    draw,
    restore(given) {
      for (const one of play.controls)
        write(one.name, given.has(one.name) ? parsedValue(one, given.get(one.name)) : one.value);
      draw();
    },
  };
}

// An exercise: what is typed is held against what the script computes.
function listen(form) {
  const said = form.parentElement.querySelector(".sentence"), input = form.querySelector("input");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said.textContent = heard(form.dataset.exercise, input.value);
  });
}

// The address holds the place on the page and what was changed there: #eps?lr=0.1&steps=4
function keepInAddress(name, play, values) {
  const given = new URLSearchParams();
  for (const one of play.controls)
    if (values[one.name] !== one.value) given.set(one.name, valueText(one, values[one.name]));
  const text = given.toString();
  putAddress(`play-${name}${text ? `?${text}` : ""}`);
}

// A figure that fails is reported, and harms no other.
function attempted(act) {
  try {
    return act();
  } catch (error) {
    reportError(error);
    return null;
  }
}

function fromAddress(figures) {
  const [place, text = ""] = location.hash.slice(1).split("?");
  const figure = figures.find((one) => `play-${one.name}` === place);
  if (!figure) return;
  attempted(() => figure.restore(new URLSearchParams(text)));
  document.getElementById(place).scrollIntoView({ block: "center" });
}

function begin() {
  document.documentElement.classList.add("live");
  const figures = [...document.querySelectorAll("[data-play]")].map((one) => attempted(() => bind(one))).filter(Boolean);
  const drawAll = () => figures.forEach((figure) => attempted(figure.draw));
  drawAll();
  document.querySelectorAll("[data-exercise]").forEach(listen);
  fromAddress(figures);
  addEventListener("hashchange", () => fromAddress(figures));
  writeBeforeLeaving();
  let last = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === last) return;
    last = innerWidth;
    drawAll();
  });
}

begin();
