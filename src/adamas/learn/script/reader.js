/* The reader's own rule: text in, the object that `learn/javascript.py` makes of a rule out, or its
   faults. It reads as `kernel/formula.py` and what that calls do, with their words; nothing of the
   text is run but what is made here of the tree. READER holds what the kernel knows of names. */

const WORDS = new Set(READER.words), BUILTIN = new Set(READER.builtins);
const LIBRARY = new Map(Object.entries(READER.libraries).map(([name, words]) => [name, new Set(words)]));
const NUMBERS = new Map([["pi", Math.PI], ["e", Math.E], ["tau", 2 * Math.PI], ["inf", Infinity], ["nan", NaN]]);
const CALLED_HERE = new Map(Object.entries(READER.called_here));
const ARITY = { atan2: 2, clip: 3, maximum: 2, minimum: 2, where: 3 };
const ONE = (place) => numberNode(1, place, "1.0");
const wordsText = () => READER.words.join(", ");
const doAllowed = () => ["allowed_words", { words: wordsText() }];

// What stands around the rule: imports, numbers, functions.
class Around {
  constructor(source, body) {
    this.source = source;
    this.names = new Map();
    this.functions = [];
    this.raises = raises;
    for (const one of body) this.read(one);
  }

  read(node) {
    if (node.kind === "FunctionDef") {
      this.names.set(node.name, { is: "function", node });
      this.functions.push(node);
    } else if (node.names) {
      for (const [module, name, as] of node.names) {
        const word = name && (CALLED_HERE.get(name) || name);
        if (name === "*") continue;
        if (name === null) this.names.set(as, { is: "module", module });
        else if (WORDS.has(word)) this.names.set(as, { is: "word", word });
        else if (NUMBERS.has(name)) this.names.set(as, { is: "number", value: NUMBERS.get(name) });
        else this.names.set(as, { is: "other", kind: "function" });
      }
    } else if (node.kind === "Assign" && node.targets.every((one) => one.kind === "Name") && !tooDeep(node)) {
      const value = worthOf(node.value, this);
      if (value === null) this.source.fault(node.value, ["beside"], ["beside_do"]);
      else for (const one of node.targets)
        this.names.set(one.id, { is: "number", value, text: node.value.kind === "Constant" ? node.value.text : null });
    } else if (!(node.kind === "Expr" && node.value.type === "string") && node.kind !== "Pass")
      this.source.fault(node, ["beside"], ["beside_do"]);
  }

  number(name) {
    const found = this.names.get(name);
    return found && found.is === "number" ? found.value : null;
  }

  // The word that a name is here; a function beside the rule may have the name of one.
  word(name) {
    const found = this.names.get(name);
    if (found) return found.is === "word" ? found.word : null;
    return WORDS.has(name) ? name : null;
  }

  // What a name, or a dotted name of modules, is here.
  of(node) {
    if (node.kind === "Name") {
      const found = this.names.get(node.id);
      if (found) return found;
      if (!BUILTIN.has(node.id)) return null;
      return WORDS.has(node.id) ? { is: "word", word: node.id } : { is: "other", kind: "function" };
    }
    if (node.kind !== "Attribute") return null;
    const module = this.of(node.value);
    if (!module || module.is !== "module") return null;
    const known = LIBRARY.get(module.module), word = CALLED_HERE.get(node.attr) || node.attr;
    if (known && known.has(node.attr)) return { is: "word", word };
    if (known && NUMBERS.has(node.attr)) return { is: "number", value: NUMBERS.get(node.attr) };
    return ["linalg", "numpy", "nn", "functional", "ops", "math"].includes(node.attr)
      ? { is: "module", module: `${module.module}.${node.attr}` } : null;
  }
}

// Reads one function: `known` are its names, `block` the assignments made so far.
class RuleReader {
  constructor(shared, tree, known, options = {}) {
    Object.assign(this, { shared, tree, known, block: [], nested: false, free: false, moved: new Set(), within: [tree] }, options);
    this.locals = localsOf(tree);
  }

  fault(node, problem, advice) {
    this.shared.source.fault(node, problem, advice);
    return { node: ONE(node), truth: false };
  }

  // Whether this name was not complained about in this function.
  first(name) {
    const key = `${this.tree.name}:${name}`, fresh = !this.shared.told.has(key);
    this.shared.told.add(key);
    return fresh;
  }

  outside(node) {
    let root = node;
    while (root.kind === "Attribute") root = root.value;
    return root.kind === "Name" && !this.locals.has(root.id) ? this.shared.around.of(node) : null;
  }

  fresh(name) {
    const { taken } = this.shared;
    let found = name;
    for (let k = 2; taken.has(found); k++) found = `${name}_${k}`;
    taken.add(found);
    return found;
  }

  put(statement) {
    this.block.push(statement);
    this.count("lines");
  }

  // Lines, and calls: functions that call others twice, and those others, would never end.
  count(what) {
    this.shared[what] += 1;
    if (this.shared[what] <= MOST_LINES) return;
    this.shared.source.fault(this.tree, ["long"], ["long_do"]);
    throw new Unreadable();
  }

  // Expressions.

  expression(node) {
    switch (node.kind) {
      case "Constant":
        if (node.type === "bool") return this.fault(node, ["truth"], ["truth_do"]);
        if (node.type === "int" || node.type === "float") return { node, truth: false };
        break;
      case "Name": return this.name(node);
      case "Attribute": {
        const found = this.outside(node);
        if (found) return this.outer(node, found);
        break;
      }
      case "BinOp": return this.arithmetic(node);
      case "UnaryOp":
        if (node.op === "not") return { node: this.truth(node), truth: true };
        if (node.op === "~") break;
        return { node: { ...node, operand: this.number(node.operand) }, truth: false };
      case "BoolOp": return this.logic(node);
      case "Compare":
        if (node.ops.every((op) => COMPARE.has(op))) return this.comparison(node);
        break;
      case "IfExp": {
        const test = this.test(node.test), yes = this.expression(node.body), no = this.expression(node.orelse);
        return { node: { ...node, test, body: yes.node, orelse: no.node }, truth: yes.truth && no.truth };
      }
      case "Call": return this.call(node);
    }
    return this.fault(node, ["outside", { shown: unparse(node) }], this.insteadOf(node));
  }

  insteadOf(node) {
    if (node.kind === "Subscript" && node.value.kind === "Attribute" && node.value.attr === "shape") return ["advice.size"];
    if (node.kind === "Attribute" && Object.hasOwn(READER.missing, node.attr)) return [READER.missing[node.attr]];
    if (node.kind === "Attribute" || node.kind === "Subscript") return ["outside_number", { allowed: told(doAllowed()) }];
    if (node.kind === "BinOp" && node.op === "@") return ["advice.matrices"];
    if (node.kind === "BinOp" && "&|^".includes(node.op)) return ["and_or"];
    if (node.kind === "UnaryOp") return ["not_do"];
    if (node.kind === "Compare") return ["compare_do"];
    if (node.kind === "NamedExpr") return ["walrus_do"];
    return doAllowed();
  }

  name(node) {
    const found = this.known.get(node.id), name = node.id;
    if (found && found.node) return { node: at(found.node, node), truth: found.truth };
    if (found && this.first(name))
      return this.fault(node, ["lacking", { name, test: told(found.lacking) }], ["lacking_do", { branch: told([found.branch]) }]);
    const value = this.outside(node);
    if (value) return this.outer(node, value);
    if (!this.first(name)) return { node: ONE(node), truth: false };
    if (["t", "rows", "columns", "h"].includes(name) && !this.locals.has(name))
      return this.fault(node, ["unknown", { name }], ["given_do", { name }]);
    if (WORDS.has(name) && !this.locals.has(name))
      return this.fault(node, ["function", { name }], ["function_do", { name }]);
    return this.fault(node, ["unknown", { name }], this.free ? ["unknown_there", { name: this.tree.name }] : ["unknown_do"]);
  }

  outer(node, found) {
    const name = unparse(node);
    if (found.is === "number" && Number.isFinite(found.value))
      return { node: numberNode(found.value, node, found.text), truth: false };
    if (found.is === "number") return this.fault(node, ["no_finite", { name }], ["finite_do"]);
    if (found.is === "module") return this.fault(node, ["module", { name }], ["numbers_only"]);
    return this.fault(node, ["function", { name }], ["function_do", { name }]);
  }

  arithmetic(node) {
    if (node.op === "*") {
      const left = this.expression(node.left), right = this.expression(node.right);
      return { node: { ...node, left: left.node, right: right.node }, truth: left.truth && right.truth };
    }
    if (!["+", "-", "/", "**", "%", "//"].includes(node.op))
      return this.fault(node, ["outside", { shown: unparse(node) }], this.insteadOf(node));
    const left = this.number(node.left), right = this.number(node.right);
    return { node: { ...node, left, right }, truth: false };
  }

  number(node) {
    const found = this.expression(node);
    if (found.truth) this.fault(node, ["no_number"], ["no_number_do"]);
    return found.node;
  }

  comparison(node) {
    const sides = [node.left, ...node.comparators].map((side) => this.expression(side).node);
    for (let k = 1; k < sides.length - 1; k++) sides[k] = this.named("between", sides[k]);
    const made = node.ops.map((op, k) => compared(sides[k], op, node, sides[k + 1]));
    return { node: joined(made, "*", node), truth: true };
  }

  logic(node) {
    const parts = node.values.map((part) => {
      const found = this.expression(part);
      if (!found.truth) this.fault(part, ["no_condition"], ["no_condition_do"]);
      return found.node;
    });
    return { node: logical(node, parts), truth: true };
  }

  test(node) {
    return node.kind === "BoolOp" || (node.kind === "UnaryOp" && node.op === "not")
      ? this.truth(node) : this.expression(node).node;
  }

  truth(node) {
    if (node.kind === "BoolOp") return logical(node, node.values.map((part) => this.truth(part)));
    if (node.kind === "UnaryOp" && node.op === "not") return compared(this.test(node.operand), "==", node);
    const made = this.expression(node);
    return made.truth ? made.node : compared(made.node, "!=", node);
  }

  // A name for a value that is read more than once.
  named(name, node) {
    if (node.kind === "Name" || node.kind === "Constant") return node;
    const target = this.fresh(name);
    this.put(assigned(target, node));
    return nameNode(target, node);
  }

  // Calls.

  word(node) {
    const value = this.outside(node);
    if (value && value.is === "word") return value.word;
    return node.kind === "Name" && WORDS.has(node.id) && !value && !this.locals.has(node.id) ? node.id : null;
  }

  // The function beside the rule that is called, if it is one.
  beside(node) {
    const value = this.outside(node.func);
    return value && value.is === "function" ? value.node : null;
  }

  call(node) {
    const word = this.word(node.func);
    if (word) return this.apply(word, node);
    const tree = this.beside(node);
    if (!tree) return this.noWord(node);
    const made = this.helper(node, tree);
    if (made.length > 1) this.fault(node, ["values_of", { name: unparse(node.func), count: made.length }], ["values_of_do"]);
    return made[0] || { node: ONE(node), truth: false };
  }

  noWord(node) {
    const name = unparse(node.func);
    if (WORDS.has(name)) return this.fault(node.func, ["other_word", { name }], ["other_word_do", { name }]);
    if (!this.first(name)) return { node: ONE(node), truth: false };
    let root = node.func;
    while (root.kind === "Attribute") root = root.value;
    const method = root.kind !== "Name" || this.known.has(root.id);
    this.shared.source.fault(node.func, ["no_word", { name }], ["plain", { text: otherWord(node, method) }]);
    return { node: ONE(node), truth: false };
  }

  apply(word, node) {
    if (REDUCE.has(word)) return this.reduces(node, word);
    const arity = ARITY[word] || 1;
    if (node.keywords.length || node.args.length !== arity) {
      const spelled = word === "clip" && bounded(node.args, node.keywords);
      return this.fault(node, ["arity", { word, arity }], spelled ? ["write", { text: spelled }] : ["words", { words: wordsText() }]);
    }
    if (word === "where") {
      const test = this.test(node.args[0]), yes = this.expression(node.args[1]), no = this.expression(node.args[2]);
      return { node: called(word, [test, yes.node, no.node], node), truth: yes.truth && no.truth };
    }
    const args = node.args.map((one) => this.number(one));
    if (word === "uniform" || word === "normal") return this.fault(node, ["draws"], ["draws_do"]);
    if (word === "orthogonalize") return this.fault(node, ["of_matrices"], ["of_matrices_do"]);
    if (word === "clip") {
      const [x, low, high] = args;
      return { node: called("minimum", [called("maximum", [x, low], node), high], node), truth: false };
    }
    return { node: called(word, args, node), truth: false };
  }

  reduces(node, word) {
    const over = [...node.args.slice(1), ...node.keywords.map((one) => one.value)];
    const plain = node.keywords.every((one) => one.arg === "over");
    if (!node.args.length || over.length > 1 || !plain || !over.every((one) => OVER.includes(one.value) && one.type === "string")) {
      const allowed = OVER.map((one) => `"${one}"`).join(", "), text = reducedText(node, word);
      return this.fault(node, ["over", { word }], text ? ["over_text", { text, allowed }] : ["over_do", { word, allowed }]);
    }
    const keywords = over.map((value) => at({ kind: "keyword", arg: "over", value }, value));
    return { node: called(word, [this.number(node.args[0])], node, keywords), truth: false };
  }

  // What a function beside the rule returns; empty where the call is a fault.
  helper(node, tree) {
    const name = unparse(node.func);
    const problem = !tree.plain ? [["no_function", { name }], ["no_function_do"]]
      : tree.decorators.length ? [["decorated", { name }], ["decorated_there_do"]]
        : this.within.includes(tree) ? [["itself", { name }], ["itself_do"]] : null;
    if (problem) { this.fault(node.func, ...problem); return []; }
    this.count("calls");
    const known = this.arguments(node, tree);
    if (!known) return [];
    const inner = new RuleReader(this.shared, tree, known,
      { block: this.block, nested: true, free: true, within: [...this.within, tree] });
    const body = bodyOf(tree), last = body[body.length - 1];
    inner.statements(body.slice(0, -1));
    if (last && last.kind === "Return" && last.value) return inner.values(last.value);
    this.fault(tree, ["no_return_there", { name: tree.name }], ["no_return_there_do", { name: tree.name }]);
    return [];
  }

  arguments(node, tree) {
    const star = tree.args.find((one) => one.place === "vararg") || tree.args.find((one) => one.place === "kwarg");
    if (star) { this.fault(star, ["any", { name: star.arg }], ["any_do"]); return null; }
    const positional = tree.args.filter((one) => one.place !== "only").map((one) => one.arg);
    const named = tree.args.filter((one) => one.place !== "posonly").map((one) => one.arg);
    const begun = new Map(positional.slice(0, node.args.length).map((name, k) => [name, node.args[k]]));
    const later = new Map(node.keywords.filter((one) => one.arg).map((one) => [one.arg, one.value]));
    const missing = tree.args.some((one) => !one.value && !begun.has(one.arg) && !later.has(one.arg));
    if (missing || node.args.length > positional.length || [...later.keys()].some((name) => begun.has(name)) ||
        node.args.some((one) => one.kind === "Starred") || node.keywords.some((one) => !named.includes(one.arg))) {
      this.fault(node, ["fit", { name: tree.name }], ["fit_do", { text: parametersText(tree.args) }]);
      return null;
    }
    const known = new Map();
    for (const [name, argument] of [...begun, ...later]) {
      const value = this.expression(argument);
      known.set(name, { node: this.named(stripped(name), value.node), truth: value.truth });
    }
    for (const one of tree.args.filter(({ arg }) => !known.has(arg))) {
      const found = tooDeep(one.value) ? null : worthOf(one.value, this.shared.around);
      if (found === null || !Number.isFinite(found))
        this.fault(one, ["default_there", { value: unparse(one.value), name: one.arg }], ["default_do", { name: one.arg }]);
      const text = one.value.kind === "Constant" ? one.value.text : null;
      known.set(one.arg, { node: numberNode(found === null ? 1 : found, node, text), truth: false });
    }
    return known;
  }

  // Statements.

  statements(body) {
    for (const node of body) if (!this.deep(node.kind === "If" ? node.test : node)) this.statement(node);
  }

  deep(node) {
    if (!tooDeep(node)) return false;
    this.fault(node, ["deep"], ["deep_do"]);
    return true;
  }

  statement(node) {
    if (node.kind === "AugAssign" && node.target.kind === "Name")
      this.assign([node.target], at({ kind: "BinOp", left: nameNode(node.target.id, node.target), op: node.op, right: node.value }, node));
    else if (node.kind === "AnnAssign" && node.target.kind === "Name") {
      if (node.value) this.assign([node.target], node.value);
    } else if (node.kind === "Assign") this.assign(node.targets, node.value);
    else if (node.kind === "If") this.branches(node);
    else if (node.kind !== "Pass") this.fault(node, ...wrongStatement(node));
  }

  assign(targets, value) {
    const group = (one) => one.kind === "Tuple" || one.kind === "List";
    let found = targets.some(group) ? this.values(value) : [this.expression(value)];
    for (const target of targets) {
      const parts = group(target) ? target.elts : [target];
      const names = this.targets(parts.filter((one) => one.kind === "Name"));
      for (const part of parts) if (part.kind !== "Name") this.fault(part, ["parts"], ["parts_do"]);
      if (parts.length !== found.length)
        this.fault(target, ["count", { values: found.length, names: parts.length }], ["count_do"]);
      if (names.length !== parts.length || parts.length !== found.length)
        found = names.map((one) => ({ node: ONE(one), truth: false }));
      this.together(names.map((name, k) => [name, found[k]]));
      found = names.map((name) => this.known.get(name.id)).filter((now) => now && now.node);
    }
  }

  // The same targets, with another name for each that is assigned again further right.
  targets(names) {
    return names.map((name, k) => names.slice(k + 1).some((later) => later.id === name.id)
      ? nameNode(this.fresh(`${stripped(name.id)}_before`), name) : name);
  }

  values(node) {
    if (node.kind === "Tuple" || node.kind === "List") return node.elts.map((part) => this.expression(part));
    const tree = node.kind === "Call" && !this.word(node.func) && this.beside(node);
    if (!tree) return [this.expression(node)];
    const found = this.helper(node, tree);
    return found.length ? found : [{ node: ONE(node), truth: false }];
  }

  // Assigns all of these at once: none reads what another one assigns.
  together(pairs) {
    let left = [...pairs];
    while (left.length) {
      const k = left.findIndex(([name]) => !this.overwrites(name.id) ||
        !left.some(([other, value]) => other !== name && readsName(value.node, name.id)));
      if (k >= 0) { this.store(...left.splice(k, 1)[0]); continue; }
      const [name, value] = left.shift(), old = this.fresh(`${name.id}_before`);
      this.put(assigned(old, nameNode(name.id, name)));
      left = left.map(([other, read]) => [other, { ...read,
        node: renamed(read.node, (one) => (one.id === name.id ? { ...one, id: old } : one)) }]);
      this.store(name, value);
    }
  }

  overwrites(name) { return !this.nested && !this.moved.has(name); }

  store(node, value) {
    let name = node.id;
    if (!this.free && (READER.taken.includes(name) || name.startsWith("_")))
      this.fault(node, ["taken", { name }], ["another_name"]);
    if (this.nested && (value.node.kind === "Name" || value.node.kind === "Constant")) {
      this.known.set(name, value);
      return;
    }
    if (!this.overwrites(name)) name = this.fresh(stripped(name));
    this.put(assigned(name, value.node, node));
    this.known.set(node.id, { node: nameNode(name, node), truth: value.truth });
  }

  branches(node) {
    let test = this.test(node.test);
    const before = this.known, [yes, first] = this.branch(node.body), [no, second] = this.branch(node.orelse);
    const chosen = new Map();
    for (const name of new Set([...yes.keys(), ...no.keys()])) {
      const a = yes.get(name), b = no.get(name);
      if (a === b && a === before.get(name)) continue;
      if (a && a.node && b && b.node) chosen.set(name, [a, b]);
      else before.set(name, lackingIn(node, a, b));
    }
    if (chosen.size > 1) test = this.named("condition", test);
    const block = [...first, ...second];
    const values = folded(block, [0, 1].flatMap((k) => [...chosen.values()].map((side) => side[k].node)));
    this.block.push(...block);
    const places = new Map(nodesOf(node).filter((one) => one.kind === "Name").map((one) => [one.id, one]));
    let k = 0;
    const pairs = [...chosen].map(([name, [a, b]]) => {
      const choice = { kind: "IfExp", test, body: values[k], orelse: values[k++ + chosen.size] };
      return [nameNode(name, places.get(name)), { node: at(choice, node), truth: a.truth && b.truth }];
    });
    this.together(pairs);
  }

  branch(body) {
    const { known, block, nested } = this;
    Object.assign(this, { known: new Map(known), block: [], nested: true });
    this.statements(body);
    const found = [this.known, this.block];
    Object.assign(this, { known, block, nested });
    return found;
  }
}

const stripped = (name) => name.replace(/^_+|_+$/g, "") || "value";
const logical = (node, parts) =>
  node.op === "and" ? joined(parts, "*", node) : compared(joined(parts, "+", node), "!=", node);

function lackingIn(node, yes, no) {
  if (yes && yes.lacking) return yes;
  const test = unparse(node.test);
  if (!yes) return { lacking: ["holds", { test }], branch: "first_branch" };
  return no && no.lacking ? no : { lacking: ["holds_not", { test }], branch: "else_branch" };
}

// The values themselves of names that nothing else reads; these leave the block.
function folded(block, finals) {
  const count = new Map();
  for (const tree of [...block.map((one) => one.value), ...finals])
    for (const one of nodesOf(tree)) if (one.kind === "Name") count.set(one.id, (count.get(one.id) || 0) + 1);
  return finals.map((final) => {
    const k = final.kind === "Name" ? block.findLastIndex((one) => one.name === final.id) : -1;
    return k < 0 || count.get(final.id) > 1 ? final : block.splice(k, 1)[0].value;
  });
}

const bodyOf = (tree) => tree.body.slice(tree.body[0] && tree.body[0].kind === "Expr" && tree.body[0].value.type === "string" ? 1 : 0);

// The arguments of a function, and what is assigned in it.
function localsOf(tree) {
  const found = new Set(tree.args.map((one) => one.arg));
  const target = (node) => { for (const one of nodesOf(node)) if (one.kind === "Name") found.add(one.id); };
  const assigns = (one) => (one.kind === "Tuple" || one.kind === "List" ? one.elts.forEach(assigns)
    : one.kind === "Starred" ? assigns(one.value) : one.kind === "Name" && target(one));
  for (const node of nodesOf({ ...tree, decorators: [], args: [] })) {
    if (node.kind === "Assign") node.targets.forEach(assigns);
    if (node.target) assigns(node.target);
  }
  return found;
}

function wrongStatement(node) {
  if (node.kind === "Return") return [["returns"], ["plain", { text: told(["returns_do", { choose: told(["choose"]) }]) }]];
  if (node.kind === "Expr" && node.value.kind === "Call" && node.value.func.kind === "Attribute" && node.value.func.attr.endsWith("_"))
    return [["in_place"], ["advice.within"]];
  if (node.kind === "Expr") return [["nothing"], ["nothing_do"]];
  if (node.kind === "AugAssign" || node.kind === "AnnAssign") return [["parts"], ["parts_do"]];
  const word = node.kind === "FunctionDef" ? "def" : node.word, choose = told(["choose"]);
  if (word === "for" || word === "while") return [["statement", { word }], ["turns_do", { choose }]];
  return [["statement", { word }], word === "def" ? ["def_do"] : ["statement_do", { choose }]];
}
