// What a tree says, of what its names have one number, and how it reads in JavaScript: the same as
// `kernel/scopes.py` and `learn/javascript.py` make of Python's own trees.

const FIELDS = {
  UnaryOp: ["operand"], BinOp: ["left", "right"], BoolOp: ["values"], Compare: ["left", "comparators"],
  IfExp: ["test", "body", "orelse"], Call: ["func", "args", "keywords"], keyword: ["value"], Attribute: ["value"],
  Subscript: ["value", "slice"], Slice: ["ends"], Tuple: ["elts"], List: ["elts"], Starred: ["value"],
  NamedExpr: ["target", "value"], Lambda: ["args", "body"], arg: ["value"], If: ["test", "body", "orelse"],
  Assign: ["targets", "value"], AugAssign: ["target", "value"], AnnAssign: ["target", "value"], Expr: ["value"],
  Return: ["value"], FunctionDef: ["args", "body", "decorators"],
};
const STATEMENTS = new Set(["If", "Assign", "AugAssign", "AnnAssign", "Expr", "Return", "FunctionDef", "keyword", "arg", "Other", "Pass"]);

const childrenOf = (node) => (FIELDS[node.kind] || []).flatMap((field) => node[field]).filter(Boolean);

// All nodes of a tree, those nearer to its root first.
function nodesOf(node) {
  const found = [node];
  for (let k = 0; k < found.length; k++) found.push(...childrenOf(found[k]));
  return found;
}

// Whether operations lie more than DEEPEST deep inside each other.
function tooDeep(node) {
  let level = [node];
  for (let k = 0; k < DEEPEST + 2; k++) level = level.flatMap(childrenOf);
  return level.some((one) => !STATEMENTS.has(one.kind));
}

const at = (node, place) => ({ ...node, line: place.line, column: place.column, endLine: place.endLine, end: place.end });
const nameNode = (id, place) => at({ kind: "Name", id }, place);
const numberNode = (value, place, text) =>
  value < 0 || Object.is(value, -0)
    ? at({ kind: "UnaryOp", op: "-", operand: numberNode(-value, place, text && text.slice(1)) }, place)
    : at({ kind: "Constant", type: "float", value, text: text || pythonNumber(value) }, place);
const assigned = (name, value, place = value) => at({ kind: "Assign", name, value }, place);
const compared = (left, op, place, right = numberNode(0, place, "0")) =>
  at({ kind: "Compare", left, ops: [op], comparators: [right] }, place);
const joined = (nodes, op, place) => nodes.reduce((left, right) => at({ kind: "BinOp", left, op, right }, place));
const called = (word, args, place, keywords = []) =>
  at({ kind: "Call", func: nameNode(word, place), args, keywords }, place);
const readsName = (node, name) => nodesOf(node).some((one) => one.kind === "Name" && one.id === name);

// The same tree with `make(node)` for each of its names.
function renamed(node, make) {
  if (node.kind === "Name") return make(node);
  const found = { ...node };
  for (const field of FIELDS[node.kind] || []) {
    const inner = node[field];
    if (Array.isArray(inner)) found[field] = inner.map((one) => one && renamed(one, make));
    else if (inner) found[field] = renamed(inner, make);
  }
  return found;
}

// How tightly an expression holds together, in Python's order.
const [NAMED, , , TEST, OR, AND, NOT, COMPARED, , , , , SUM, PRODUCT, FACTOR, POWER, , ATOM] = Array(18).keys();
const TIGHT = { "|": 8, "^": 9, "&": 10, "<<": 11, ">>": 11, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
  "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER };

// The text of an expression as Python's `ast.unparse` writes it, where `level` stands around it.
function unparse(node, level = TEST) {
  const around = (own, text) => (level > own ? `(${text})` : text);
  const several = (nodes, own) => nodes.map((one) => unparse(one, own)).join(", ");
  switch (node.kind) {
    case "Name": return node.id;
    case "Constant": return node.text;
    case "BinOp": {
      const own = TIGHT[node.op], [left, right] = node.op === "**" ? [own + 1, own] : [own, own + 1];
      return around(own, `${unparse(node.left, left)} ${node.op} ${unparse(node.right, right)}`);
    }
    case "UnaryOp": {
      const own = node.op === "not" ? NOT : FACTOR;
      return around(own, `${node.op}${own === NOT ? " " : ""}${unparse(node.operand, own)}`);
    }
    case "BoolOp": {
      const own = node.op === "or" ? OR : AND;
      const parts = node.values.map((one, k) => unparse(one, Math.min(own + 1 + k, ATOM)));
      return level > own ? `(${parts.join(` ${node.op} `)})` : parts.join(` ${node.op} `);
    }
    case "Compare":
      return around(COMPARED, unparse(node.left, COMPARED + 1) +
        node.ops.map((op, k) => ` ${op} ${unparse(node.comparators[k], COMPARED + 1)}`).join(""));
    case "IfExp":
      return around(TEST, `${unparse(node.body, TEST + 1)} if ${unparse(node.test, TEST + 1)} else ${unparse(node.orelse, TEST)}`);
    case "Lambda": return around(TEST, `lambda${node.args.length ? " " : ""}${parametersText(node.args)}: ${unparse(node.body)}`);
    case "Call": return `${unparse(node.func, ATOM)}(${[...node.args, ...node.keywords].map((one) => unparse(one)).join(", ")})`;
    case "keyword": return node.arg ? `${node.arg}=${unparse(node.value)}` : `**${unparse(node.value)}`;
    case "Attribute": return `${unparse(node.value, ATOM)}${node.value.type === "int" ? " " : ""}.${node.attr}`;
    case "Subscript": {
      const { slice } = node, bare = slice.kind === "Tuple" && slice.elts.length;
      return `${unparse(node.value, ATOM)}[${bare ? unparse(slice).slice(1, -1) : unparse(slice)}]`;
    }
    case "Slice": return node.ends.map((one) => (one ? unparse(one) : "")).join(":");
    case "Tuple": return `(${several(node.elts)}${node.elts.length === 1 ? "," : ""})`;
    case "List": return `[${several(node.elts)}]`;
    case "Starred": return `*${unparse(node.value, 8)}`;
    case "NamedExpr": return around(NAMED, `${node.target.id} := ${unparse(node.value, ATOM)}`);
  }
  throw new Error(`no text for ${node.kind}`);
}

function parametersText(args) {
  const found = [];
  args.forEach((one, k) => {
    const before = args[k - 1];
    if (one.place === "only" && !(before && ["only", "vararg"].includes(before.place))) found.push("*");
    found.push(({ vararg: "*", kwarg: "**" }[one.place] || "") + one.arg + (one.value ? `=${unparse(one.value)}` : ""));
    if (one.place === "posonly" && (!args[k + 1] || args[k + 1].place !== "posonly")) found.push("/");
  });
  return found.join(", ");
}

// Scopes: of what there is one number of each name, from the coarsest.
const FINE = { once: 0, all: 1, tensor: 2, row: 3, column: 3, element: 4 };
const REDUCE = new Set(["mean", "norm", "rms", "total"]);
const OVER = ["row", "column", "tensor", "all"];

function reductionOf(node) {
  if (node.kind !== "Call" || node.func.kind !== "Name" || !REDUCE.has(node.func.id) || !node.args.length) return null;
  const [given] = [...node.args.slice(1), ...node.keywords.map((one) => one.value)];
  return { word: node.func.id, argument: node.args[0], over: given && given.kind === "Constant" ? String(given.value) : "tensor" };
}

const finest = (scopes) => scopes.reduce((found, scope) =>
  (found === "row" && scope === "column") || (found === "column" && scope === "row") ? "element"
    : FINE[scope] > FINE[found] ? scope : found, "once");

function scopeOf(node, known) {
  const found = reductionOf(node);
  if (found) return found.over;
  if (node.kind === "Name") return known.get(node.id) || "once";
  return finest(childrenOf(node).map((one) => scopeOf(one, known)));
}

// The scope of every state: the coarsest that its own new value confirms.
function scopesOfStates(states, statements, outputs) {
  let found = new Map(states.map((name) => [name, "once"]));
  for (;;) {
    const known = new Map([["p", "element"], ["g", "element"], ...found]);
    for (const { name, value } of statements) known.set(name, scopeOf(value, known));
    const finer = new Map([...found].map(([name, scope]) =>
      [name, finest([scope, known.get(outputs.get(name)) || "once"])]));
    if ([...finer].every(([name, scope]) => scope === found.get(name))) return found;
    found = finer;
  }
}

// The same statements with every reduction as the whole value of one of its own.
function apart(statements, taken) {
  const found = [], used = new Set(taken);
  const whole = (node) => {
    const one = reductionOf(node);
    if (!one) return visit(node);
    const over = { kind: "keyword", arg: "over", value: { kind: "Constant", type: "string", value: one.over, text: quoted(one.over) } };
    return called(one.word, [visit(one.argument)], node, [at(over, node)]);
  };
  const visit = (node) => {
    if (node.kind === "Call") {
      const one = reductionOf(node);
      if (!one) return { ...node, args: node.args.map(visit), keywords: [] };
      let k = 1;
      while (used.has(`${one.word}_${k}`)) k += 1;
      const name = `${one.word}_${k}`;
      used.add(name);
      found.push(assigned(name, whole(node), node));
      return nameNode(name, node);
    }
    const made = { ...node };
    for (const field of FIELDS[node.kind] || [])
      made[field] = Array.isArray(node[field]) ? node[field].map(visit) : visit(node[field]);
    return made;
  };
  for (const one of statements) found.push({ ...one, value: whole(one.value) });
  return found;
}

// JavaScript: see `learn/javascript.py`, whose text this is.
const EXACT = new Set(["abs", "sign", "maximum", "minimum", "where", "clip"]);
const safe = (name) => (READER.reserved_here.includes(name) ? `$${name}` : name);
const javaNumber = (value) => pythonNumber(value).replace(/\.0$/, "").replace(/e([+-])0*/, "e$1");

class Emitter {
  constructor(names, scopes) {
    this.names = names;
    this.scopes = scopes;
  }

  of(node) { return scopeOf(node, this.scopes); }

  // Of a statement: a row of a vector is an element.
  scope(node) {
    const found = reductionOf(node);
    if (!found) return this.of(node);
    const inner = this.of(found.argument);
    return inner === "once" ? "once" : found.over === "row" && inner === "element" ? "element" : found.over;
  }

  line(name, node, here) {
    const found = reductionOf(node), bare = found ? found.argument : node;
    const rooted = found && (found.word === "norm" || found.word === "rms");
    let text = this.expression(bare);
    if (found && here !== "element") {
      if (this.of(bare) !== "element") return `const ${name} = ${rooted ? `Math.abs(${text})` : `(${text})`};`;
      return `const ${name} = W.${found.word}(f, n, (i) => ${text});`;
    }
    if (rooted) text = `Math.abs(${text})`;
    if (here !== "element") return `const ${name} = ${text};`;
    if (this.of(bare) !== "element") text = `f(${text})`;
    return `const ${name} = W.each(n, (i) => ${text});`;
  }

  expression(node) {
    switch (node.kind) {
      case "Constant": return javaNumber(node.value);
      case "Name": return this.names.get(node.id) + (this.scopes.get(node.id) === "element" ? "[i]" : "");
      case "UnaryOp": return node.op === "-" ? `(-${this.expression(node.operand)})` : this.expression(node.operand);
      case "BinOp": return this.arithmetic(node);
      case "Compare": {
        const [a, b] = this.met([node.left, node.comparators[0]]), op = node.ops[0];
        return `(${a} ${op === "==" ? "===" : op === "!=" ? "!==" : op} ${b} ? 1 : 0)`;
      }
      case "IfExp": return this.choice(node.test, node.body, node.orelse);
    }
    const word = node.func.id;
    if (word === "where") return this.choice(...node.args);
    const text = `W.${word}(${this.met(node.args).join(", ")})`;
    return EXACT.has(word) || this.of(node) === "once" ? text : `f(${text})`;
  }

  arithmetic(node) {
    const [a, b] = this.met([node.left, node.right]);
    const word = { "**": "power", "%": "remainder", "//": "floored" }[node.op];
    const text = word ? `W.${word}(${a}, ${b})` : `(${a} ${node.op} ${b})`;
    if (this.of(node) === "once") return text;
    return word ? `f(${text})` : `f${text}`;
  }

  choice(test, body, orelse) {
    const [a, b] = this.met([body, orelse]), text = this.expression(test);
    return `(${test.kind === "Compare" ? text : `${text} !== 0`} ? ${a} : ${b})`;
  }

  // Where the whole is not once a step, parts that are come in its precision.
  met(parts) {
    const once = parts.map((part) => this.of(part) === "once"), texts = parts.map((part) => this.expression(part));
    return once.every(Boolean) ? texts : texts.map((text, k) => (once[k] ? `f(${text})` : text));
  }
}
