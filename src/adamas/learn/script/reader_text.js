// The text of a rule as a tree, like Python's own; what a rule may contain is decided elsewhere.

const LONGEST = 8000, DEEPEST = 100, NESTED = 150, MOST_LINES = 1000;

// Ends the reading where the text is no Python.
class Unreadable extends Error {}

const KEYWORDS = new Set(("False None True and as assert async await break class continue def del elif else " +
  "except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield").split(" "));
// What is typed for an operator by an input method or a word processor.
const TYPED = new Map([["−", "-"], ["–", "-"], ["×", "*"], ["·", "*"], ["÷", "/"], ["²", "**2"], ["³", "**3"],
  ["√", "sqrt(x)"], ["≤", "<="], ["≥", ">="], ["≠", "!="], ["“", '"'], ["”", '"'], ["‘", "'"], ["’", "'"],
  ["、", ","], ["。", "."], ["【", "["], ["】", "]"]]);
const NAME = /[\p{XID_Start}_]\p{XID_Continue}*/uy;
const NUMBER = /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?[jJ]?/y;
const OPERATOR = /\*\*=|\/\/=|>>=|<<=|\.\.\.|\*\*|\/\/|>>|<<|<=|>=|==|!=|->|:=|[-+*\/%@&|^]=|[-+*\/%@&|^~<>()[\]{},:.;=]/y;

// The lines of a text and the faults in it, by place; `told` are [sentence key, fields].
class Source {
  constructor(text) {
    this.lines = text.split("\n");
    this.faults = new Map();
  }

  fault(node, problem, advice) {
    const one = { line: node.line, column: node.column, problem: told(problem), advice: told(advice) };
    const shown = this.lines[node.line - 1].trimEnd();
    const end = node.endLine === node.line ? Math.min(node.end, shown.length) : shown.length;
    const indent = shown.length - shown.trimStart().length;
    one.before = shown.slice(indent, node.column);
    one.under = shown.slice(node.column, end) || " ";
    one.after = shown.slice(Math.max(end, node.column));
    const key = `${one.line}:${one.column}:${one.problem}`;
    if (!this.faults.has(key)) this.faults.set(key, one);
  }

  // All of them, in the order of the text.
  found() {
    return [...this.faults.values()].sort((a, b) =>
      a.line - b.line || a.column - b.column || (a.problem < b.problem ? -1 : 1));
  }
}

const told = ([key, fields]) => say(`reader.${key}`, fields);

// Names, numbers, strings and operators, and where lines begin and end as Python sees them.
function tokensOf(source) {
  const tokens = [], levels = [], narrows = [], open = [];
  const stop = (line, column, length, ...rest) => {
    source.fault({ line, column, endLine: line, end: column + length }, ...rest);
    throw new Unreadable();
  };
  const push = (kind, text, line, column, endLine, end) => tokens.push({ kind, text, line, column, endLine, end });
  let joined = false, long = null;
  source.lines.forEach((text, k) => {
    const line = k + 1;
    let at = 0;
    if (long) {
      at = closing(text, 0, long.quote);
      if (at < 0) { long.text += `${text}\n`; return; }
      push("string", `${long.text}${text.slice(0, at)}`, long.line, long.column, line, at);
      long = null;
    } else if (!joined && !open.length) {
      const [white] = /^[ \t\f]*/.exec(text);
      at = white.length;
      if (at === text.length || text[at] === "#" || text[at] === "\r") return;
      // A tab goes to the next multiple of 8; how lines are ordered must not depend on that.
      let level = 0, narrow = 0;
      for (const c of white) {
        level = c === "\t" ? level - (level % 8) + 8 : c === "\f" ? 0 : level + 1;
        narrow = c === "\f" ? 0 : narrow + 1;
      }
      const tabs = (fine) => { if (!fine) stop(line, 0, at, ["tabs"], ["tabs_do"]); };
      if (!levels.length) [levels, narrows].forEach((all, i) => all.push([level, narrow][i]));
      if (level > levels[levels.length - 1]) {
        tabs(narrow > narrows[levels.length - 1]);
        narrows.splice(levels.length, Infinity, narrow);
        levels.push(level);
        push("indent", "", line, at, line, at);
      }
      while (levels.length > 1 && level < levels[levels.length - 1]) {
        levels.pop();
        push("dedent", "", line, at, line, at);
      }
      if (level !== levels[levels.length - 1]) stop(line, at, text.length - at, ["indent"], ["indent_do"]);
      tabs(narrow === narrows[levels.length - 1]);
    }
    joined = false;
    while (at < text.length) {
      const c = text[at];
      if (" \t\f\r".includes(c)) { at += 1; continue; }
      if (c === "#") break;
      if (c === "\\" && at === text.trimEnd().length - 1) { joined = true; break; }
      const string = /^[rRbBuUfF]{0,2}("""|'''|"|')/.exec(text.slice(at, at + 5));
      if (string) {
        const [all, quote] = string, end = closing(text, at + all.length, quote);
        if (end >= 0) push("string", text.slice(at, end), line, at, line, end);
        else if (quote.length === 3) { long = { text: `${text.slice(at)}\n`, quote, line, column: at }; return; }
        else stop(line, at, text.length - at, ["quote"], ["quote_do", { quote }]);
        at = end;
        continue;
      }
      let found = null;
      for (const [kind, form] of [["name", NAME], ["number", NUMBER], ["operator", OPERATOR]]) {
        form.lastIndex = at;
        found = form.exec(text);
        if (!found) continue;
        const word = kind === "name" ? found[0].normalize("NFKC") : found[0];
        const after = text.slice(at + found[0].length);
        if (kind === "number" && (/^[\p{XID_Continue}]/u.test(after) || /^0[\d_]*[1-9]/.test(word) && /^[\d_]+$/.test(word)))
          stop(line, at, found[0].length + 1, ["number"], ["number_do"]);
        if ("([{".includes(word)) open.push([word, line, at]);
        if (")]}".includes(word)) {
          const [left] = open.pop() || [];
          if (left !== "([{"[")]}".indexOf(word)]) stop(line, at, 1, ["closed", { token: word }], ["closed_do"]);
        }
        push(kind, word, line, at, line, at + found[0].length);
        at += found[0].length;
        break;
      }
      if (!found) {
        const sign = String.fromCodePoint(text.codePointAt(at)), plain = TYPED.get(sign) || sign.normalize("NFKC");
        const advice = /^[\x20-\x7e]+$/.test(plain) && plain !== sign ? ["sign_plain", { plain }] : ["sign_do"];
        const seen = /[\p{C}\p{Z}]/u.test(sign) ? `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}` : sign;
        stop(line, at, sign.length, ["sign", { sign: seen }], advice);
      }
    }
    if (!joined && !open.length) push("newline", "", line, text.trimEnd().length, line, text.trimEnd().length);
  });
  if (long) stop(long.line, long.column, 3, ["quote"], ["quote_do", { quote: long.quote }]);
  if (open.length) stop(open[0][1], open[0][2], 1, ["open", { token: open[0][0] }], ["open_do"]);
  const line = source.lines.length, column = source.lines[line - 1].length;
  if (joined) push("newline", "", line, column, line, column);
  for (; levels.length > 1; levels.pop()) push("dedent", "", line, column, line, column);
  push("end", "", line, column, line, column);
  return tokens;
}

// Where a string ends that `quote` began before `at`; -1 if it does not in this line.
function closing(text, at, quote) {
  for (; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text.startsWith(quote, at)) return at + quote.length;
  }
  return -1;
}

const BINARY = new Map([["|", 1], ["^", 2], ["&", 3], ["<<", 4], [">>", 4], ["+", 5], ["-", 5],
  ["*", 6], ["/", 6], ["//", 6], ["%", 6], ["@", 6]]);
const COMPARE = new Set(["<", "<=", ">", ">=", "==", "!="]);

// Statements and expressions; a node has its kind, its place, and the fields that Python's has.
class Parser {
  constructor(source) {
    this.source = source;
    this.tokens = tokensOf(source);
    this.at = 0;
    this.depth = 0;
  }

  get token() { return this.tokens[this.at]; }

  is(text) { return this.token.text === text && (this.token.kind === "operator" || KEYWORDS.has(text) && this.token.kind === "name"); }

  take(text) {
    if (!this.is(text)) return false;
    this.at += 1;
    return true;
  }

  expect(text) {
    if (!this.take(text)) this.unexpected(["missing", { token: text }]);
  }

  stop(node, problem, advice) {
    this.source.fault(node, problem, advice);
    throw new Unreadable();
  }

  unexpected(advice = ["unexpected_do"]) {
    const { token } = this;
    if (["newline", "end", "dedent", "indent"].includes(token.kind))
      this.stop(token, [token.kind === "indent" ? "indent" : "line_end"], token.kind === "indent" ? ["indent_do"] : advice);
    this.stop(token, ["unexpected", { token: token.text.slice(0, 20) }], advice);
  }

  deeper(read) {
    this.depth += 1;
    if (this.depth > NESTED) this.stop(this.token, ["deep"], ["deep_do"]);
    const found = read();
    this.depth -= 1;
    return found;
  }

  node(kind, start, fields) {
    const { endLine, end } = this.tokens[Math.max(this.at - 1, 0)];
    return { kind, line: start.line, column: start.column, endLine, end, ...fields };
  }

  module() {
    const body = [];
    while (this.token.kind !== "end") body.push(...this.statement());
    return body;
  }

  // One line may hold several simple statements.
  statement() {
    const { token } = this;
    if (token.kind === "indent") this.unexpected();
    if (this.is("if")) return [this.deeper(() => this.choice())];
    if (this.is("def") || this.is("async") || this.is("@")) return [this.deeper(() => this.definition())];
    if (["while", "for", "with", "class", "try"].some((word) => this.is(word))) return [this.other(token)];
    const found = [];
    do {
      if (this.token.kind === "newline") break;
      found.push(this.simple());
    } while (this.take(";"));
    if (this.token.kind !== "newline" && this.token.kind !== "end") this.unexpected();
    if (this.token.kind === "newline") this.at += 1;
    return found;
  }

  block() {
    this.expect(":");
    if (this.token.kind !== "newline") return this.statement();
    this.at += 1;
    if (this.token.kind !== "indent") this.stop(this.token, ["block"], ["block_do"]);
    this.at += 1;
    const body = [];
    while (this.token.kind !== "dedent" && this.token.kind !== "end") body.push(...this.statement());
    if (this.token.kind === "dedent") this.at += 1;
    return body;
  }

  choice() {
    const start = this.token;
    this.at += 1;
    const test = this.named(), body = this.block();
    const orelse = this.is("elif") ? [this.deeper(() => this.choice())] : this.take("else") ? this.block() : [];
    return this.node("If", start, { test, body, orelse, endLine: 0 });
  }

  // A statement that no rule has: only where it stands matters, and what it is called.
  other(start) {
    const word = start.text;
    let many = false;
    do {
      while (this.token.kind !== "newline" && this.token.kind !== "end") this.at += 1;
      if (this.token.kind === "newline") this.at += 1;
      if (this.token.kind !== "indent") continue;
      many = true;
      let depth = 0;
      do {
        depth += { indent: 1, dedent: -1 }[this.token.kind] || 0;
        this.at += 1;
      } while (depth && this.token.kind !== "end");
    } while (["else", "except", "finally"].some((next) => this.is(next)));
    const { endLine, end } = this.tokens[this.at - 1];
    return { kind: "Other", word, line: start.line, column: start.column, endLine: many ? 0 : endLine, end };
  }

  definition() {
    const decorators = [];
    while (this.take("@")) {
      decorators.push(this.named());
      if (this.token.kind === "newline") this.at += 1;
    }
    const start = this.token, plain = !this.take("async");
    if (this.is("class") || !plain && !this.is("def")) return this.other(this.token);
    this.expect("def");
    const name = this.identifier();
    this.expect("(");
    const args = this.parameters(")");
    this.expect(")");
    if (this.take("->")) this.test();
    const body = this.block();
    return this.node("FunctionDef", start, { name, args, body, decorators, plain, endLine: 0 });
  }

  identifier() {
    const { token } = this;
    if (token.kind !== "name" || KEYWORDS.has(token.text)) this.unexpected();
    this.at += 1;
    return token.text;
  }

  // Arguments up to `end`: kinds are "posonly", "args", "vararg", "only" and "kwarg".
  parameters(end) {
    const found = [];
    let kind = "args", defaulted = false;
    while (!this.is(end)) {
      const start = this.token;
      if (this.take("/")) {
        for (const one of found) if (one.place === "args") one.place = "posonly";
      } else if (this.is("*") && ["," , end].includes(this.tokens[this.at + 1].text)) {
        this.at += 1;
        kind = "only";
      } else {
        const star = this.take("**") ? "kwarg" : this.take("*") ? "vararg" : "";
        const from = this.token, arg = this.identifier();
        if (end === ")" && this.take(":")) this.test();
        const one = this.node("arg", from, { arg, place: star || kind, value: null });
        if (found.some((other) => other.arg === arg)) this.stop(one, ["twice", { name: arg }], ["another_name"]);
        if (!star && this.take("=")) one.value = this.test();
        else if (kind === "args" && !star && defaulted) this.stop(one, ["order", { name: arg }], ["no_default_do", { name: arg }]);
        defaulted ||= Boolean(one.value) && kind === "args";
        if (star === "vararg") kind = "only";
        found.push(one);
      }
      if (!this.take(",") && !this.is(end)) this.unexpected(["missing", { token: end }]);
      if (start === this.token) this.unexpected();
    }
    return found;
  }

  simple() {
    const start = this.token;
    if (this.take("return")) {
      const value = ["newline", "end"].includes(this.token.kind) || this.is(";") ? null : this.list();
      return this.node("Return", start, { value });
    }
    if (this.take("pass")) return this.node("Pass", start, {});
    if (this.is("import") || this.is("from")) return this.importing(start);
    const others = { del: "delete" };
    if (["assert", "global", "nonlocal", "del", "raise", "break", "continue"].some((word) => this.is(word))) {
      while (!["newline", "end"].includes(this.token.kind) && !this.is(";")) this.at += 1;
      return this.node("Other", start, { word: others[start.text] || start.text });
    }
    const first = this.list();
    if (this.take(":")) {
      this.target(first, false);
      this.test();
      const value = this.take("=") ? this.list() : null;
      return this.node("AnnAssign", start, { target: first, value });
    }
    if (this.token.kind === "operator" && /^[^<>=!:]+=$/.test(this.token.text)) {
      this.target(first, false);
      const op = this.token.text.slice(0, -1);
      this.at += 1;
      return this.node("AugAssign", start, { target: first, op, value: this.list() });
    }
    const parts = [first];
    while (this.take("=")) parts.push(this.list());
    if (parts.length === 1) return this.node("Expr", start, { value: first });
    const value = parts.pop();
    for (const target of parts) this.target(target, true);
    return this.node("Assign", start, { targets: parts, value });
  }

  target(node, several) {
    if (several && (node.kind === "Tuple" || node.kind === "List")) {
      if (node.elts.length > DEEPEST) this.stop(node, ["long"], ["long_do"]);
      for (const one of node.elts) this.target(one.kind === "Starred" ? one.value : one, true);
    } else if (!["Name", "Attribute", "Subscript", ...(several ? ["Starred"] : [])].includes(node.kind))
      this.stop(node, ["target"], ["target_do"]);
  }

  importing(start) {
    const names = [], dotted = () => {
      let name = this.identifier();
      while (this.take(".")) name += `.${this.identifier()}`;
      return name;
    };
    const whole = this.take("import"), from = whole ? "" : (this.at += 1, dotted());
    if (!whole) this.expect("import");
    const open = !whole && this.take("(");
    if (!whole && this.take("*")) names.push([from, "*", "*"]);
    else
      do {
        if (this.is(")")) break;
        const name = whole ? dotted() : this.identifier(), as = this.take("as") ? this.identifier() : null;
        names.push(whole ? [as ? name : name.split(".")[0], null, as || name.split(".")[0]] : [from, name, as || name]);
      } while (this.take(","));
    if (open) this.expect(")");
    return this.node("Other", start, { word: "import", names });
  }

  // Expressions with commas between them.
  list() {
    const start = this.token, elts = [];
    do {
      if (elts.length && (["newline", "end"].includes(this.token.kind) || [")", "]", "=", ":"].some((x) => this.is(x)))) break;
      elts.push(this.starred());
    } while (this.take(","));
    const comma = this.tokens[this.at - 1].text === "," && this.tokens[this.at - 1].kind === "operator";
    return elts.length > 1 || comma ? this.node("Tuple", start, { elts }) : elts[0];
  }

  starred() {
    const start = this.token;
    return this.take("*") ? this.node("Starred", start, { value: this.binary(1) }) : this.test();
  }

  named() {
    const start = this.token, next = this.tokens[this.at + 1];
    if (start.kind !== "name" || !next || next.text !== ":=") return this.test();
    const target = this.name();
    this.at += 1;
    return this.node("NamedExpr", start, { target, value: this.test() });
  }

  test() {
    return this.deeper(() => {
      const start = this.token;
      if (this.take("lambda")) {
        const args = this.parameters(":");
        this.expect(":");
        return this.node("Lambda", start, { args, body: this.test() });
      }
      const body = this.either("or");
      if (!this.take("if")) return body;
      const test = this.either("or");
      this.expect("else");
      return this.node("IfExp", start, { test, body, orelse: this.test() });
    });
  }

  either(word) {
    const start = this.token, inner = () => (word === "or" ? this.either("and") : this.negation());
    const values = [inner()];
    while (this.take(word)) values.push(inner());
    return values.length > 1 ? this.node("BoolOp", start, { op: word, values }) : values[0];
  }

  negation() {
    const start = this.token;
    if (!this.take("not")) return this.comparison();
    return this.deeper(() => {
      const operand = this.negation();
      return this.node("UnaryOp", start, { op: "not", operand });
    });
  }

  comparison() {
    const start = this.token, left = this.binary(1), ops = [], comparators = [];
    for (;;) {
      let op = null;
      if (this.token.kind === "operator" && COMPARE.has(this.token.text)) { op = this.token.text; this.at += 1; }
      else if (this.take("in")) op = "in";
      else if (this.take("is")) op = this.take("not") ? "is not" : "is";
      else if (this.is("not") && this.tokens[this.at + 1].text === "in") { this.at += 2; op = "not in"; }
      if (!op) return ops.length ? this.node("Compare", start, { left, ops, comparators }) : left;
      ops.push(op);
      comparators.push(this.binary(1));
    }
  }

  binary(least) {
    const start = this.token;
    let left = this.unary();
    for (;;) {
      const op = this.token.text, level = this.token.kind === "operator" ? BINARY.get(op) : 0;
      if (!level || level < least) return left;
      this.at += 1;
      const right = this.binary(level + 1);
      left = this.node("BinOp", start, { left, op, right });
    }
  }

  unary() {
    const start = this.token;
    if (start.kind === "operator" && ["-", "+", "~"].includes(start.text)) {
      this.at += 1;
      return this.deeper(() => {
        const operand = this.unary();
        return this.node("UnaryOp", start, { op: start.text, operand });
      });
    }
    const base = this.primary();
    if (!this.take("**")) return base;
    return this.deeper(() => {
      const right = this.unary();
      return this.node("BinOp", start, { left: base, op: "**", right });
    });
  }

  primary() {
    const start = this.token;
    let found = this.atom();
    for (;;) {
      if (this.take(".")) {
        const attr = this.identifier();
        found = this.node("Attribute", start, { value: found, attr });
      } else if (this.take("(")) {
        const [args, keywords] = this.inside();
        found = this.node("Call", start, { func: found, args, keywords });
      } else if (this.take("[")) {
        const slice = this.slice();
        this.expect("]");
        found = this.node("Subscript", start, { value: found, slice });
      } else return found;
    }
  }

  inside() {
    const args = [], keywords = [];
    while (!this.is(")")) {
      const start = this.token, next = this.tokens[this.at + 1];
      if (this.take("**")) keywords.push(this.node("keyword", start, { arg: null, value: this.test() }));
      else if (this.is("*")) args.push(this.starred());
      else if (start.kind === "name" && next.text === "=" && next.kind === "operator") {
        const arg = this.identifier();
        this.at += 1;
        keywords.push(this.node("keyword", start, { arg, value: this.test() }));
      } else {
        const value = this.named();
        if (keywords.length) this.stop(value, ["order_call"], ["order_call_do"]);
        args.push(value);
      }
      if (!this.take(",") && !this.is(")")) this.unexpected(["missing", { token: ")" }]);
    }
    this.at += 1;
    return [args, keywords];
  }

  slice() {
    const start = this.token, parts = [];
    do {
      if (this.is("]")) break;
      const part = this.token;
      const lower = this.is(":") ? null : this.starred();
      if (!this.is(":")) { parts.push(lower); continue; }
      const ends = [lower];
      while (this.take(":")) ends.push(this.is(":") || this.is("]") || this.is(",") ? null : this.test());
      parts.push(this.node("Slice", part, { ends: ends.slice(0, 3) }));
    } while (this.take(","));
    if (!parts.length) this.unexpected();
    const comma = this.tokens[this.at - 1].text === ",";
    return parts.length > 1 || comma ? this.node("Tuple", start, { elts: parts }) : parts[0];
  }

  name() {
    const start = this.token, id = this.identifier();
    return this.node("Name", start, { id });
  }

  atom() {
    const start = this.token;
    if (start.kind === "number") {
      this.at += 1;
      return this.node("Constant", start, constant(start.text));
    }
    if (start.kind === "string") {
      let text = "";
      for (; this.token.kind === "string"; this.at++) text += inner(this.token.text);
      return this.node("Constant", start, { type: "string", value: text, text: quoted(text) });
    }
    if (["True", "False", "None", "..."].some((word) => this.is(word))) {
      this.at += 1;
      const type = start.text === "None" || start.text === "..." ? "none" : "bool";
      return this.node("Constant", start, { type, value: null, text: start.text });
    }
    if (start.kind === "name" && !KEYWORDS.has(start.text)) return this.name();
    if (this.take("(")) {
      if (this.take(")")) return this.node("Tuple", start, { elts: [] });
      const walrus = this.tokens[this.at + 1].text === ":=";
      const found = walrus ? this.named() : this.list();
      this.expect(")");
      const { endLine, end } = this.tokens[this.at - 1];
      const bare = found.kind === "Tuple" && found.column !== undefined && !found.closed;
      return bare ? { ...found, line: start.line, column: start.column, endLine, end, closed: true } : found;
    }
    if (this.take("[")) {
      const elts = [];
      while (!this.is("]")) {
        elts.push(this.starred());
        if (!this.take(",") && !this.is("]")) this.unexpected(["missing", { token: "]" }]);
      }
      this.at += 1;
      return this.node("List", start, { elts });
    }
    return this.unexpected(start.kind === "operator" && "{}".includes(start.text) ? ["allowed"] : undefined);
  }
}

// What a number is worth, and how Python writes it.
function constant(text) {
  const plain = text.replace(/_/g, "");
  if (/[jJ]$/.test(plain)) return { type: "complex", value: NaN, text: `${pythonNumber(Number(plain.slice(0, -1)), true)}j` };
  if (/^0[xXoObB]|^\d+$/.test(plain)) {
    const whole = BigInt(plain);
    return { type: "int", value: Number(whole), text: String(whole) };
  }
  const value = Number(plain);
  return { type: "float", value, text: pythonNumber(value) };
}

// The shortest text of a float64, as Python writes it.
function pythonNumber(value, bare = false) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "1e309" : "-1e309";
  const [mantissa, power] = value.toExponential().split("e"), exponent = Number(power);
  if (exponent < -4 || exponent >= 16)
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  const text = (Object.is(value, -0) ? "-" : "") + String(value);
  return text.includes(".") || bare ? text : `${text}.0`;
}

const inner = (text) => {
  const [all, quote] = /^[a-zA-Z]{0,2}("""|'''|"|')/.exec(text);
  return text.slice(all.length, text.length - quote.length);
};

const quoted = (text) => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return quote + text.replace(/\n/g, "\\n").replaceAll(quote, `\\${quote}`) + quote;
};
