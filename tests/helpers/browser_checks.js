// What a reader would see of the open page, as lists of sentences; an empty list is a good page.
// The file is one expression: `(file).contrast()` in the page, whether its own script runs or not.
(() => {
  const SMALL = 4.5, LARGE = 3, TINY = 9;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const short = (text, n = 40) => {
    const line = text.trim().replace(/\s+/g, " ");
    return line.length > n ? line.slice(0, n - 1) + "…" : line;
  };
  // How a person finds an element: the nearest id above it, its tag and class, what it says.
  const name = (e) => {
    const own = e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") +
      [...e.classList].map((c) => "." + c).join("");
    const home = e.id ? null : e.parentElement?.closest("[id]");
    const said = short(e.textContent || e.getAttribute("aria-label") || "");
    return (home ? `#${home.id} ` : "") + own + (said ? ` “${said}”` : "");
  };
  // What follows from an element and those above it is worked out once a call.
  const once = (f) => {
    const known = new Map();
    return (e) => {
      if (!known.has(e)) known.set(e, f(e));
      return known.get(e);
    };
  };
  // Set aside on purpose: kept for screen readers alone, or waiting outside the page for its focus.
  const aside = once((e) => {
    if (!e || e === document.body) return false;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const out = style.position === "absolute" || style.position === "fixed";
    return out && (box.right <= 0 || box.bottom <= 0 || style.clipPath === "inset(50%)" ||
      (box.width <= 1 && box.height <= 1)) || aside(e.parentElement);
  });
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !aside(e);

  // Elements wider than the page, unless a box above them scrolls or clips.
  const overflow = () => {
    const root = document.scrollingElement, width = root.clientWidth;
    if (root.scrollWidth <= width) return [];
    const contained = (e) => {
      for (let a = e.parentElement; a && a !== document.body; a = a.parentElement)
        if (getComputedStyle(a).overflowX !== "visible") return true;
      return false;
    };
    const wide = all("body *").filter((e) => e.getBoundingClientRect().right > width + 0.5 &&
      shown(e) && !contained(e));
    const deepest = wide.filter((e) => !wide.some((o) => o !== e && e.contains(o)));
    return [`the page is ${root.scrollWidth} px wide and shows ${width}: ` +
      (deepest.slice(0, 5).map(name).join("; ") || "no element says why")];
  };

  // A column that stays while its table is scrolled, and leaves no room to read the others.
  const stuck = () => all("tbody th").filter((e) => {
    const box = e.closest(".scroll");
    return box && shown(e) && getComputedStyle(e).position === "sticky" &&
      box.scrollWidth > box.clientWidth + 1 && e.offsetWidth > box.clientWidth / 2;
  }).map((e) => `half its table is covered by ${name(e)}`);

  // Text that its own box hides.
  const hiddenText = () => all("body *").filter((e) => {
    const style = getComputedStyle(e);
    const cut = (way, full, seen) => /hidden|clip/.test(style[way]) && full > seen + 1;
    return !(e instanceof SVGElement) && e.textContent.trim() && shown(e) &&
      (cut("overflowX", e.scrollWidth, e.clientWidth) ||
        cut("overflowY", e.scrollHeight, e.clientHeight));
  }).map((e) => `its box cuts ${name(e)}`);

  // The corners of a text in a picture, without the empty parts of its line above and below.
  const corners = (text) => {
    const box = text.getBBox(), matrix = text.getScreenCTM(), trim = box.height * 0.2;
    const [left, right] = [box.x + 0.5, box.x + box.width - 0.5];
    const [top, bottom] = [box.y + trim, box.y + box.height - trim];
    return [[left, top], [right, top], [right, bottom], [left, bottom]].map(([x, y]) =>
      new DOMPoint(x, y).matrixTransform(matrix));
  };
  // Convex shapes are apart exactly if a side of one of them parts them.
  const meet = (one, two) => ![one, two].some((shape) => shape.some((p, i) => {
    const q = shape[(i + 1) % shape.length], [nx, ny] = [p.y - q.y, q.x - p.x];
    const along = (s) => s.map((c) => c.x * nx + c.y * ny);
    const [a, b] = [along(one), along(two)];
    return Math.max(...a) <= Math.min(...b) || Math.max(...b) <= Math.min(...a);
  }));
  const sizeOf = (e) => {
    const drawn = e.closest("text"), matrix = drawn?.getScreenCTM();
    return parseFloat(getComputedStyle(e).fontSize) * (drawn ? Math.hypot(matrix.a, matrix.b) : 1);
  };
  // The elements that hold the text which a reader sees.
  const speaking = () => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set();
    while (walk.nextNode())
      if (walk.currentNode.data.trim()) found.add(walk.currentNode.parentElement);
    return [...found].filter((e) => !e.matches("script, style") && e.getClientRects().length &&
      shown(e));
  };
  // One sentence for all small texts of a picture.
  const tiny = () => {
    const places = Map.groupBy(speaking().filter((e) => sizeOf(e) < TINY), (e) =>
      e.closest("svg") ?? e);
    return [...places].map(([place, small]) => {
      const least = Math.min(...small.map(sizeOf)).toFixed(1);
      return `text of ${least} px, at least ${TINY} (${small.length} times): ${name(small[0])}`;
    });
  };
  const labels = (root = document) => all("svg", root).filter(shown).flatMap((svg) => {
    const texts = all("text", svg).filter((t) => t.textContent.trim() && shown(t) &&
      getComputedStyle(t).fill !== "none");
    const box = svg.getBoundingClientRect(), found = [], quads = texts.map(corners);
    texts.forEach((text, i) => {
      const out = Math.max(...quads[i].flatMap((p) =>
        [box.left - p.x, p.x - box.right, box.top - p.y, p.y - box.bottom]));
      if (out > 1) found.push(`${out.toFixed(1)} px outside its picture: ${name(text)}`);
      texts.slice(0, i).forEach((other, j) => {
        if (meet(quads[i], quads[j])) found.push(`${name(other)} lies under ${name(text)}`);
      });
    });
    return found;
  });

  // Colours as [red, green, blue, alpha], 0 to 1, whatever notation they come in.
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const read = new Map();
  const colour = (css) => {
    if (!read.has(css)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = css;
      pen.fillRect(0, 0, 1, 1);
      read.set(css, [...pen.getImageData(0, 0, 1, 1).data].map((c) => c / 255));
    }
    return read.get(css);
  };
  const over = ([r, g, b, a], under) =>
    [r, g, b].map((c, i) => c * a + under[i] * (1 - a)).concat(1);
  const faded = ([r, g, b, a], share) => [r, g, b, a * share];
  const light = (c) => {
    const [r, g, b] = c.map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, two) => {
    const [low, high] = [light(one), light(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const opacity = once((e) =>
    e ? getComputedStyle(e).opacity * opacity(e.parentElement) : 1);
  const sheet = () => colour(getComputedStyle(document.documentElement).colorScheme
    .includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "white");
  const ground = once((e) => !e ? sheet()
    : e instanceof SVGElement && !(e instanceof SVGSVGElement) ? ground(e.parentElement)
      : over(colour(getComputedStyle(e).backgroundColor), ground(e.parentElement)));
  // What was painted in a picture before a text, at three places below it.
  const painted = (text) => {
    const svg = text.ownerSVGElement, style = getComputedStyle(text);
    if (style.paintOrder.startsWith("stroke") && style.stroke !== "none" &&
      parseFloat(style.strokeWidth) >= 2) return [colour(style.stroke)];
    const before = all("rect, circle, ellipse, polygon, path", svg).filter((s) => shown(s) &&
      s.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING &&
      !s.closest("defs, clipPath, marker, pattern, mask, symbol") &&
      getComputedStyle(s).fill !== "none");
    const [a, , c] = corners(text);
    return [0.1, 0.5, 0.9].map((share) => {
      const at = new DOMPoint(a.x + (c.x - a.x) * share, a.y + (c.y - a.y) * share);
      return before.reduce((under, shape) => {
        const style = getComputedStyle(shape), inverse = shape.getScreenCTM().inverse();
        if (!shape.isPointInFill(at.matrixTransform(inverse))) return under;
        return over(faded(colour(style.fill), style.fillOpacity * opacity(shape)), under);
      }, ground(svg));
    });
  };
  const contrast = () => {
    const found = new Set();
    const judge = (css, grounds, size, weight, share, what) => {
      if (/url\(/.test(css)) return found.add(`a pattern fills ${what}`);
      const least = size >= 24 || (size >= 18.66 && weight >= 700) ? LARGE : SMALL;
      const worst = Math.min(...grounds.map((g) => ratio(over(faded(colour(css), share), g), g)));
      if (worst < least - 0.005)
        found.add(`contrast ${worst.toFixed(2)}, needed ${least}: ${css} in ${what}`);
    };
    for (const e of speaking().filter((e) => !e.closest(":disabled"))) {
      const style = getComputedStyle(e), drawn = e.closest("text");
      judge(drawn ? style.fill : style.color, drawn ? painted(drawn) : [ground(e)], sizeOf(e),
        +style.fontWeight, opacity(e) * (drawn ? style.fillOpacity : 1), name(e));
    }
    const typed = all("input, select, textarea").filter((e) => shown(e) && !e.disabled &&
      !/^(range|checkbox|radio|color|file|hidden)$/.test(e.type));
    for (const e of typed) {
      const style = getComputedStyle(e), empty = e.placeholder && !e.value;
      judge(empty ? getComputedStyle(e, "::placeholder").color : style.color, [ground(e)],
        sizeOf(e), +style.fontWeight, opacity(e), name(e));
    }
    return [...found];
  };

  const headings = () => {
    const levels = all("h1, h2, h3, h4, h5, h6").filter(shown), found = [];
    const ones = levels.filter((h) => h.tagName === "H1").length;
    if (ones !== 1) found.push(`the page has ${ones} headings h1`);
    levels.forEach((h, i) => {
      const before = i ? +levels[i - 1].tagName[1] : 0;
      if (+h.tagName[1] > before + 1) found.push(`h${before} is followed by ${name(h)}`);
      if (!h.textContent.trim()) found.push(`empty heading: ${name(h)}`);
    });
    if (!/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(document.documentElement.lang))
      found.push(`lang is “${document.documentElement.lang}”`);
    if (!document.title.trim()) found.push("the page has no title");
    return found;
  };

  // What the accessibility tree does not show because it has no role or no name.
  const untold = () => {
    const drawn = all("svg, canvas").filter((e) => shown(e) && !e.closest("[aria-hidden=true]") &&
      !e.closest("button, a, summary, [role=img]:not(svg)") &&
      !["img", "graphics-document", "group"].includes(e.getAttribute("role")));
    const nameless = all("[role=region], nav, section[role]").filter((e) => shown(e) &&
      !e.getAttribute("aria-label")?.trim() && !e.getAttribute("aria-labelledby"));
    return [
      ...drawn.map((e) => `no role="img", no aria-hidden: a screen reader cannot tell ${name(e)}`),
      ...nameless.map((e) => `a region without a name: ${name(e)}`),
    ];
  };

  // A fraction has its numerator on top, an exponent stands above its base's foot.
  const formulas = () => all("math").filter((m) => m.checkVisibility()).flatMap((m) => {
    const found = [], box = m.getBoundingClientRect();
    if (!getComputedStyle(m).display.includes("math") || !box.width || !box.height)
      found.push(`not set as a formula: ${name(m)}`);
    const pair = (e) => [...e.children].slice(0, 2).map((c) => c.getBoundingClientRect());
    const bad = (selector, wrong, what) => all(selector, m).forEach((e) => {
      const [a, b] = pair(e);
      if (!b || wrong(a, b)) found.push(`${what}: ${name(e)} in ${name(m)}`);
    });
    bad("mfrac", (a, b) => a.bottom > b.top + 1, "no fraction");
    bad("msup", (a, b) => b.bottom >= a.bottom, "no exponent");
    // The foot of a β or g may reach as deep as the index beside it.
    const middle = (box) => (box.top + box.bottom) / 2;
    bad("msub", (a, b) => middle(b) <= middle(a), "no index");
    all("merror", m).forEach((e) => found.push(`an error in a formula: ${name(e)}`));
    return found;
  });

  // Where the keyboard should get to. A group in which arrows move needs one stop only.
  const STOPS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const GROUP = "[role=radiogroup], [role=tablist], [role=toolbar], [role=menu], [role=listbox]";
  const stops = () => all(STOPS).filter((e) => e.checkVisibility({ visibilityProperty: true }) &&
    !e.disabled && e.type !== "hidden" && !(e.closest(GROUP) && e.tabIndex < 0) &&
    !(e.tabIndex < 0 && !e.matches("a[href], button, input, select, textarea, summary")) &&
    !(e.type === "radio" && !e.checked && e.name && document.querySelector(
      `input[type=radio][name="${CSS.escape(e.name)}"]:checked`)));
  const LOOK = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "backgroundColor",
    "borderTopColor", "borderBottomColor"];
  const look = (e) => LOOK.map((key) => getComputedStyle(e)[key]);
  // Number the stops, and remember how each looks without the focus.
  const prepare = () => {
    document.activeElement?.blur();
    document.head.append(Object.assign(document.createElement("style"),
      { textContent: "* { scroll-behavior: auto !important }" }));
    scrollTo(0, 0);
    window.stopsOfThePage = stops().map((e) => ({ e, rest: look(e), reached: false }));
    return window.stopsOfThePage.length;
  };
  // Say whether this stop was new, and what is wrong with how its focus shows.
  const arrive = () => {
    const e = document.activeElement;
    if (!e || e === document.body) return { fresh: false, found: [] };
    const stop = window.stopsOfThePage.find((s) => s.e === e);
    if (!stop || stop.reached) return { fresh: !stop, found: [] };
    stop.reached = true;
    const found = [], now = getComputedStyle(e), box = e.getBoundingClientRect();
    const under = ground(e.parentElement);
    const ring = now.outlineStyle !== "none" && parseFloat(now.outlineWidth) >= 1;
    const changed = LOOK.filter((key, i) => (ring || !key.startsWith("outline")) &&
      now[key] !== stop.rest[i]);
    if (!changed.length) found.push(`its focus does not show: ${name(e)}`);
    // The browser's own ring, "auto", has two colours for every ground.
    else if (ring && now.outlineStyle !== "auto" &&
      ratio(over(colour(now.outlineColor), under), under) < LARGE)
      found.push(`its focus hardly shows (${now.outlineColor}): ${name(e)}`);
    if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth ||
      !box.width || !box.height) found.push(`focused out of sight: ${name(e)}`);
    return { fresh: true, found };
  };
  const missed = () => window.stopsOfThePage.filter((s) => !s.reached).map((s) =>
    `Tab does not reach ${name(s.e)}`);

  const unfold = () => all("details").forEach((d) => { d.open = true; });
  // A list that is closed shows the one that is chosen, and the others are for a script only.
  const closed = () => all("select").filter(shown).flatMap((s) =>
    [...s.options].filter((o) => !o.selected).map((o) => `${o.text} `)).join("").length;
  const reading = () => ({
    text: document.body.innerText.replace(/\s+/g, " ").length - closed(),
    pictures: all("svg, img").filter(shown).length,
    dead: all("button, input, select, textarea").filter(shown).map(name),
  });
  return { overflow, stuck, hiddenText, tiny, labels, contrast, headings, untold, formulas, prepare,
    arrive, missed, unfold, reading };
})()
