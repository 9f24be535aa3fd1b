// What to write for words of other libraries; see `kernel/advice.py`.

function otherWord(node, method) {
  const name = unparse(node.func).split(".").pop(), words = told(["words", { words: wordsText() }]);
  const given = [...(method && node.func.kind === "Attribute" ? [node.func.value] : []), ...node.args];
  const write = (text, ...before) => [told(["write", { text }]), ...before, words].join(told(["join"]));
  if (name === "max" || name === "min")
    return given.length === 2 ? write(`${name}imum(x, y)`) : told(["advice.order"]);
  if (Object.hasOwn(READER.missing, name)) return told([READER.missing[name]]);
  const known = WORDS.has(name), instead = Object.hasOwn(READER.instead, name) ? READER.instead[name] : null;
  if (!known && !instead) return words;
  const limited = (name === "clip" || name === "clamp") && bounded(given, node.keywords);
  const shown = REDUCE.has(name) ? given.slice(0, 1) : given;
  const made = limited || (instead ? filled(instead, given)
    : `${name}(${method ? shown.map((one) => unparse(one)).join(", ") : "x"})`);
  const text = along(made, axisOf(name, node.keywords, given.slice(1)));
  return name === "var" || name === "std" ? write(text, told(["samples"])) : write(text);
}

// A template with its arguments, where all of them are names or numbers.
function filled(template, given) {
  if (!given.length || !given.every((one) => one.kind === "Name" || one.kind === "Constant")) return template;
  return template.replace(/\b[xy]\b/g, (name) => {
    const one = given["xy".indexOf(name)];
    return one ? unparse(one) : name;
  });
}

const reducedText = (node, word) => {
  const axis = axisOf(word, node.keywords, node.args.slice(1));
  return axis && node.args.length ? along(`${word}(${unparse(node.args[0])})`, axis) : null;
};

// The scope that `axis` or `dim` names, or the first of the `others`.
function axisOf(word, keywords, others) {
  const given = [...keywords.filter((one) => one.arg === "axis" || one.arg === "dim").map((one) => one.value),
    ...(word === "norm" ? [] : others)];
  const axis = given.length ? unparse(given[0]).replace(/^[()]+|[()]+$/g, "") : "";
  const rest = axis.replace(/ /g, "").replace(/^,+|,+$/g, "").split(",");
  if (rest.every((one, k) => one === String(k + 1))) return "row";
  return Object.hasOwn(READER.axes, axis) ? READER.axes[axis] : null;
}

function bounded(given, keywords) {
  const of = (...names) => keywords.filter((one) => names.includes(one.arg)).map((one) => unparse(one.value));
  const low = of("min", "a_min"), high = of("max", "a_max");
  if (given.length !== 1 || !keywords.length || keywords.length !== low.length + high.length) return null;
  const word = low.length && high.length ? "clip" : low.length ? "maximum" : "minimum";
  return `${word}(${[unparse(given[0]), ...low, ...high].join(", ")})`;
}

// The same expression, with its reductions over this.
function along(text, over) {
  if (!over) return text;
  const tree = new Parser(new Source(text)).test();
  for (const one of nodesOf(tree)) {
    if (!reductionOf(one)) continue;
    one.keywords = [{ kind: "keyword", arg: "over", value: { kind: "Constant", type: "string", value: over, text: quoted(over) } }];
  }
  return unparse(tree).replaceAll("'", '"');
}

// What a word makes of numbers, each of which is all there is; null where the call is none.
function wordOfNumbers(word, { keywords }, values) {
  const reduces = REDUCE.has(word);
  if (values.length !== (ARITY[word] || 1) || keywords.some(({ arg }) => !reduces || arg !== "over")) return null;
  if (reduces) return word === "norm" || word === "rms" ? Math.abs(values[0]) : values[0];
  return word === "where" ? (values[0] !== 0 ? values[1] : values[2]) : Object.hasOwn(W, word) ? W[word](...values) : null;
}

const OF_PAIRS = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "==": (a, b) => a === b, "!=": (a, b) => a !== b };
const OF_TWO = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b,
  "**": Math.pow, "%": W.remainder, "//": W.floored };
// What knows no name, and of calls those of words; numbers are those of arrays, which never raise.
const WORDS_ALONE = { number: () => null, word: (name) => (WORDS.has(name) ? name : null), raises: () => false };
// Whether Python's own numbers raise an error instead of this result.
const raises = (op, a, b) => (op === "**" ? (a === 0 && b < 0) || (a < 0 && !Number.isInteger(b)) : "/%".includes(op[0]) && b === 0);

// What an expression of numbers alone is worth; null if it depends on anything else.
function worthOf(node, known) {
  if (node.kind === "Name") return known.number(node.id);
  if (node.kind === "Constant") return node.type === "int" || node.type === "float" ? node.value : null;
  const word = node.kind === "Call" && node.func.kind === "Name" ? known.word(node.func.id) : null;
  const parts = { UnaryOp: () => [node.operand], BinOp: () => [node.left, node.right],
    Compare: () => [node.left, ...node.comparators], IfExp: () => [node.test, node.body, node.orelse],
    Call: () => word && node.args }[node.kind];
  const values = parts && parts() && parts().map((one) => worthOf(one, known));
  if (!values || values.some((one) => one === null)) return null;
  const [a, b, c] = values;
  switch (node.kind) {
    case "UnaryOp": return node.op === "-" ? -a : node.op === "+" ? a : null;
    case "IfExp": return a !== 0 ? b : c;
    case "Call": return wordOfNumbers(word, node, values);
    case "BinOp": {
      const result = Object.hasOwn(OF_TWO, node.op) ? OF_TWO[node.op](a, b) : null;
      return result !== null && known.raises(node.op, a, b) ? null : result;
    }
    default: return node.ops.every((op) => Object.hasOwn(OF_PAIRS, op))
      ? Number(node.ops.every((op, k) => OF_PAIRS[op](values[k], values[k + 1]))) : null;
  }
}

// Finds a part of an expression that is a constant and no finite number; returns what it is worth.
function checkConstants(source, node) {
  if (node.kind === "Name") return null;
  const parts = (node.kind === "Call" ? node.args : childrenOf(node)).map((one) => checkConstants(source, one));
  if (parts.some((one) => one === null)) return null;
  const value = worthOf(node, WORDS_ALONE);
  if (node.kind === "Compare" || Number.isFinite(value)) return value;
  const shown = unparse(node), short = [...shown].length <= 40 ? shown : `${[...shown].slice(0, 37).join("")}...`;
  source.fault(node, ["constant", { shown: short, value: pythonValue(value) }], ["constant_do"]);
  return null;
}

const pythonValue = (value) => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

// The signature: states with their first values, hyper-parameters, and what is asked for of a step.
function signatureOf(source, tree, around) {
  const { args } = tree, states = new Map(), hypers = new Map(), given = [];
  for (const kind of ["vararg", "kwarg"])
    for (const one of args) if (one.place === kind) source.fault(one, ["any", { name: one.arg }], ["any_do"]);
  const positional = args.filter((one) => one.place === "posonly" || one.place === "args");
  for (const k of [0, 1])
    if (!positional[k] || positional[k].arg !== "pg"[k]) {
      source.fault(positional[k] || tree, ["begin"], ["begin_do"]);
      return null;
    }
  const worth = (one) => {
    const { arg: name, value } = one, found = tooDeep(value) ? null : worthOf(value, around);
    if (found === null) source.fault(one, ["default", { value: unparse(value), name }], ["default_do", { name }]);
    else if (!Number.isFinite(found)) source.fault(one, ["infinite", { name, value: pythonValue(found) }], ["infinite_do"]);
    else return found;
    return 0;
  };
  const check = (one, taken) => {
    const { arg: name } = one;
    if (READER.taken.includes(name) || name.startsWith("_")) source.fault(one, ["taken", { name }], ["another_name"]);
    if (taken.includes(name)) source.fault(one, ["optimizer", { name }], ["another_name"]);
  };
  for (const one of positional.slice(2)) {
    if (one.arg === "t") source.fault(one, ["t_state"], ["t_state_do"]);
    check(one, READER.taken_states);
    states.set(one.arg, one.value ? worth(one) : 0);
  }
  for (const one of args.filter(({ place }) => place === "only")) {
    const { arg: name } = one, asked = ["t", "rows", "columns", "h"].includes(name) && !one.value;
    if (name === "t" && one.value) { source.fault(one, ["t_default"], ["t_default_do"]); continue; }
    if (name === "h" && asked) source.fault(one, ["second"], ["second_do"]);
    if (asked) { given.push(name); continue; }
    check(one, READER.reserved);
    if (!one.value) source.fault(one, ["no_default", { name }], ["default_do", { name }]);
    hypers.set(name, one.value ? worth(one) : 0);
  }
  return { states, hypers, given };
}

// Why a reduction of what has this scope says nothing.
function refusalOf(found, scope, argument) {
  const shown = unparse(argument).replaceAll("'", '"'), { word, over } = found;
  if (scope === "once" || FINE[scope] < FINE[over] || scope === over)
    return [["already", { shown, number: one(scope) }],
      ["already_do", { word }]];
  const crossed = (scope === "row" && over === "column") || (scope === "column" && over === "row");
  if (!crossed) return null;
  const fields = { shown, word, scope: told([`scope.${scope}`]), over: told([`scope.${over}`]) };
  return [["crossed", fields], ["crossed_do", fields]];
}

// `{ rule, step, faults }`: the faults of a text, or the rule in it and the text of its step.
function readRule(text) {
  const source = new Source(String(text).replace(/^\ufeff/, "").replace(/\r\n?/g, "\n"));
  let rule = null;
  try {
    rule = ruleOf(source);
  } catch (error) {
    // Too deep for the machine itself: `InternalError` in Firefox.
    if (error instanceof RangeError || error.name === "InternalError")
      source.fault({ line: 1, column: 0, endLine: 0, end: 0 }, ["deep"], ["deep_do"]);
    else if (!(error instanceof Unreadable)) throw error;
  }
  const faults = source.found();
  return faults.length ? { faults } : { faults, ...rule };
}

function ruleOf(source) {
  if (source.lines.join("\n").length > LONGEST) {
    source.fault({ line: 1, column: 0, endLine: 0, end: 0 }, ["long"], ["long_do"]);
    return null;
  }
  const body = new Parser(source).module(), around = new Around(source, body);
  const functions = around.functions.filter(({ args }) => args[0] && args[0].arg === "p" && args[1] && args[1].arg === "g");
  const tree = functions.pop() || around.functions.pop();
  const end = { line: source.lines.length, column: 0, endLine: 0, end: 0 };
  if (!tree) { source.fault(end, ["no_rule"], ["no_rule_do"]); return null; }
  if (!tree.plain) { source.fault(tree, ["plain_function"], ["plain_function_do"]); return null; }
  for (const one of tree.decorators)
    if (!/^(adamas\.)?rule$/.test(unparse(one))) source.fault(one, ["decorated", { name: tree.name }], ["decorated_do"]);
  const signature = signatureOf(source, tree, around);
  return signature && formulaOf(source, tree, around, signature);
}

function formulaOf(source, tree, around, { states, hypers, given }) {
  const nodes = nodesOf(tree), names = nodes.filter((one) => one.kind === "Name").map((one) => one.id);
  const begin = ["p", "g", ...given, ...states.keys(), ...hypers.keys()];
  const moved = new Set(nodes.filter((one) => one.kind === "Call" && one.func.kind === "Attribute" && WORDS.has(one.func.attr))
    .map((one) => one.func.attr));
  const shared = { source, around, taken: new Set([...begin, ...names, ...WORDS]), told: new Set(), lines: 0, calls: 0 };
  const known = new Map(begin.map((name) => [name, { node: nameNode(name, tree), truth: false }]));
  const reader = new RuleReader(shared, tree, known, { moved });
  const outputs = outputsOf(reader, tree, states);
  for (const one of reader.block) reader.deep(one);
  if (source.faults.size) return null;
  const statements = apart(reader.block, shared.taken);
  for (const one of statements) checkConstants(source, one.value);
  for (const one of statements.flatMap(({ value }) => nodesOf(value)))
    if (one.kind === "Call" && begin.includes(one.func.id)) source.fault(one, ["word_too", { name: one.func.id }], ["word_too_do"]);
  if (source.faults.size) return null;
  checkScopes(source, reader.block, statements, states, outputs);
  return source.faults.size ? null : written(tree, statements, states, hypers, outputs);
}

// Reads the statements, and the names that hold the new values at the end.
function outputsOf(reader, tree, states) {
  const body = bodyOf(tree), last = body[body.length - 1], outputs = new Map();
  const returned = last && last.kind === "Return" ? last : null;
  reader.statements(returned ? body.slice(0, -1) : body);
  const advice = ["return_do", { text: ["p", ...states.keys()].join(", ") }];
  if (!returned) {
    if (!nodesOf(tree).some((one) => one.kind === "Return")) reader.fault(last || tree, ["no_return"], advice);
    return outputs;
  }
  if (reader.deep(returned)) return outputs;
  const found = returned.value ? reader.values(returned.value) : [];
  if (found.length !== 1 + states.size) {
    reader.fault(returned, ["returned", { found: found.length, count: 1 + states.size }], advice);
    return outputs;
  }
  ["p", ...states.keys()].forEach((name, k) => {
    const { node } = found[k];
    if (node.kind !== "Name") reader.put(assigned(reader.fresh(`${name}_next`), node));
    outputs.set(name, node.kind === "Name" ? node.id : reader.block[reader.block.length - 1].name);
  });
  return outputs;
}

// How many numbers of this scope there are, in words.
function one(scope) {
  const alone = { once: "one_number", all: "one_for_all" }[scope];
  return alone ? told([alone]) : told(["one_for_each", { scope: told([`scope.${scope}`]) }]);
}

// Reductions of what is one number already, and remainders of what is not one for the whole step.
function checkScopes(source, block, statements, states, outputs) {
  const scopes = scopesOfStates([...states.keys()], statements, outputs);
  const own = new Set(block.map((one) => one.name));
  const made = new Map(statements.filter((one) => !own.has(one.name)).map((one) => [one.name, one.value]));
  const inserted = (node) => renamed(node, (one) => (made.has(one.id) ? inserted(made.get(one.id)) : one));
  const known = new Map([["p", "element"], ["g", "element"], ...scopes]);
  for (const { name, value } of statements) {
    const found = reductionOf(value);
    const refused = found && refusalOf(found, scopeOf(found.argument, known), inserted(found.argument));
    if (refused) source.fault(value, ...refused);
    for (const one of nodesOf(value))
      if (one.kind === "BinOp" && (one.op === "%" || one.op === "//") && scopeOf(one, known) !== "once")
        source.fault(one, ["remainder"], ["remainder_do"]);
    known.set(name, scopeOf(value, known));
  }
}

function written(tree, statements, initial, hypers, outputs) {
  const scopes = scopesOfStates([...initial.keys()], statements, outputs);
  const kept = (...kinds) => [...initial.keys()].filter((name) => kinds.includes(scopes.get(name)));
  const arrays = [...kept("element"), ...kept("row")], numbers = [...kept("column"), ...kept("tensor", "all", "once")];
  const states = [...arrays, ...numbers], given = ["p", "g", ...states, "t", ...hypers.keys()];
  const names = new Map([["rows", "n"], ["columns", "1"], ...given.map((name) => [name, safe(name)])]);
  const emitter = new Emitter(names, new Map(["p", "g", ...arrays].map((name) => [name, "element"])));
  const lines = statements.map(({ name, value }, k) => {
    const here = emitter.scope(value), line = emitter.line(`$${k}`, value, here);
    emitter.scopes.set(name, here);
    names.set(name, `$${k}`);
    return line;
  });
  const last = new Map(statements.map(({ name }, k) => [name, k]));
  const output = (name) => (last.has(outputs.get(name)) ? last.get(outputs.get(name)) : outputs.get(name));
  const step = `(${["f", "n", ...given.map(safe)].join(", ")}) => {\n${lines.map((line) => ` ${line}\n`).join("")}` +
    ` return [${statements.map((_, k) => `$${k}`).join(", ")}];\n}`;
  return {
    step,
    rule: {
      name: tree.name,
      states: states.map((name) => [name, initial.get(name), numbers.includes(name)]),
      hypers: [...hypers],
      names: statements.map(({ name }) => name),
      lines: statements.map(({ name, value }) => `${name} = ${unparse(value)}`),
      outputs: ["p", ...states].map(output),
    },
  };
}

// A rule as those of RULES are; only text that `written` made is run.
function ownRule({ rule, step }) {
  return { ...rule, step: new Function("W", `"use strict"; return ${step};`)(W) };
}

// Faults as Python's message tells them, for a screen reader and for tests.
function faultsText(name, faults) {
  const one = ({ line, before, under, after, problem, advice }) =>
    `rule '${name}': ${problem}\n  ${line}\n    ${before}${under}${after}\n    ${wide(before)}${"^".repeat(wide(under).length)}\n  ${advice}`;
  const found = faults.map(one);
  return (found.length > 1 ? [`rule '${name}': ${found.length} faults`, ...found] : found).join("\n\n");
}

// Blanks as wide as a text on a terminal; tabs stay tabs.
const wide = (text) => [...text].map((c) =>
  c === "\t" ? c : /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(c) ? "  " : " ").join("");
