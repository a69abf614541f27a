import type { Block, ChainStep, Expr, Ident, Script, Stmt } from "../../../src/rhai/syntax/index.ts";
import { columnOf, lineOf, type Pos } from "../../../src/rhai/syntax/index.ts";
import { exprPosition, stmtPosition } from "../../../src/rhai/syntax/expr-position.ts";

/**
 * The tree of a script as one line, in the notation in which `trees.jsonl` holds the trees of the official parser:
 * `(kind … place …)`, places as `line:column` or `-`, text as code points, so that shape, places, captures and
 * desugaring are all compared.
 */
export const treeText = (script: Script): string => {
  const functions = script.functions.map(
    (fn) =>
      `(fn ${fn.name} ${fn.isPrivate} ${fn.thisType ?? "-"} [${fn.params.map(({ name }) => name).join(",")}] ${block(fn.body)})`,
  );
  const sorted = functions.sort((a, b) => (a < b ? -1 : 1));
  return `${stmts(script.body)} ${sorted.join(" ")}`.replace(/ +/g, " ").replace(/ \)/g, ")").trim();
};

const at = (pos: Pos): string => (pos === 0 ? "-" : `${lineOf(pos)}:${columnOf(pos)}`);
const points = (text: string): string => [...text].map((one) => one.codePointAt(0)?.toString(16)).join(".");
const named = (ident: Ident | null): string => (ident === null ? "-" : `${ident.name}@${at(ident.pos)}`);
const list = (exprs: readonly Expr[]): string => exprs.map(expr).join(" ");
const stmts = (body: readonly Stmt[]): string => body.map(stmt).join(" ");
const block = ({ body, pos, end }: Block): string => `(block ${at(pos)} ${at(end)} [${stmts(body)}])`;

/** A statement where the official tree wants a block. */
const asBlock = (one: Stmt | null): string => {
  if (one === null) return "(block - - [])";
  return one.kind === "Block" ? block(one.block) : `(block ${at(stmtPosition(one))} - [${stmt(one)}])`;
};

const asExpr = (one: Stmt): string => {
  const body = one.kind === "Block" ? stmts(one.block.body) : one.kind === "Noop" ? "" : stmt(one);
  return `(stmtexpr ${at(stmtPosition(one))} [${body}])`;
};

/** Rows of the same short-circuit operator are one node officially. */
const row = (one: Expr, op: string): Expr[] =>
  one.kind === "Logical" && one.op === op ? [...row(one.left, op), ...row(one.right, op)] : [one];

const bitsOf = (value: number): string => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString();
};

const step = (one: ChainStep): string => {
  switch (one.kind) {
    case "Property":
      return `(prop ${one.name} ${one.optional} ${at(one.pos)} ${at(one.opPos)})`;
    case "Method":
      return `(method ${one.name} ${one.optional} ${at(one.pos)} ${at(one.opPos)} ${list(one.args)})`;
    case "Index":
      return `(index ${one.optional} ${at(one.opPos)} ${expr(one.index)})`;
  }
};

const expr = (one: Expr): string => {
  const pos = at(exprPosition(one));
  switch (one.kind) {
    case "Unit":
      return `(unit ${pos})`;
    case "Bool":
      return `(bool ${one.value} ${pos})`;
    case "Int":
      return `(int ${Object.is(one.value, -0) ? "minus zero" : one.value} ${pos})`;
    case "Float":
      return `(float ${bitsOf(one.value)} ${pos})`;
    case "Char":
      return `(char ${points(one.value)} ${pos})`;
    case "Str":
      return `(str ${points(one.value)} ${pos})`;
    case "Interpolated":
      return `(interp ${pos} ${list(one.parts)})`;
    case "Array":
      return `(array ${pos} ${list(one.items)})`;
    case "Map": {
      const entries = one.entries.map(
        ({ key, keyPos, value }) => `${points(key)}@${at(keyPos)} ${expr(value)}`,
      );
      return `(map ${pos} ${entries.join(" ")})`;
    }
    case "Var":
      return `(var ${one.name} ${pos} [${one.path.map(named).join(",")}])`;
    case "This":
      return `(this ${pos})`;
    case "Call":
      return `(call ${one.name} ${pos} [${one.path.map(named).join(",")}] ${one.capturesScope} ${list(one.args)})`;
    case "Chain":
      return `(chain ${pos} ${expr(one.root)} ${one.steps.map(step).join(" ")})`;
    case "Unary":
      return `(un ${one.op} ${pos} ${expr(one.operand)})`;
    case "Binary": {
      const { op, left, right } = one;
      if (op !== "in" && op !== "!in") return `(bin ${op} ${pos} ${expr(left)} ${expr(right)})`;
      const call = `(call contains ${pos} [] false ${expr(right)} ${expr(left)})`;
      return op === "in" ? call : `(un ! ${pos} ${call})`;
    }
    case "Logical":
      return `(${one.op} ${pos} ${list(row(one, one.op))})`;
    case "Closure": {
      const params = one.fn.params.map(({ name }) => name).join(",");
      return `(closure ${pos} [${one.captures.map(named).join(" ")}] [${params}] ${block(one.fn.body)})`;
    }
    case "StmtExpr":
      return asExpr(one.stmt);
  }
};

const stmt = (one: Stmt): string => {
  const pos = at(one.pos);
  switch (one.kind) {
    case "Noop":
      return `(noop ${pos})`;
    case "Expr":
      return expr(one.expr);
    case "Let": {
      const value = one.value === null ? "(unit -)" : expr(one.value);
      return `(let ${named(one.name)} ${one.constant} ${one.exported} ${pos} ${value})`;
    }
    case "Assign":
      return `(assign ${one.op} ${pos} ${expr(one.target)} ${expr(one.value)})`;
    case "Block":
      return block(one.block);
    case "If":
      return `(if ${pos} ${expr(one.test)} ${block(one.then)} ${asBlock(one.otherwise)})`;
    case "Switch":
      return switchText(one);
    case "While":
      return `(while ${pos} ${one.test === null ? "(unit -)" : expr(one.test)} ${block(one.body)})`;
    case "Do":
      return `(do ${one.until} ${pos} ${expr(one.test)} ${block(one.body)})`;
    case "For":
      return `(for ${pos} ${named(one.item)} ${named(one.counter)} ${expr(one.iterable)} ${block(one.body)})`;
    case "Continue":
      return `(continue ${pos} -)`;
    case "Break":
    case "Return":
    case "Throw":
      return `(${one.kind.toLowerCase()} ${pos} ${one.value === null ? "-" : expr(one.value)})`;
    case "Try":
      return `(try ${pos} ${block(one.body)} ${named(one.variable)} ${block(one.handler)})`;
    case "Import":
      return `(import ${pos} ${expr(one.module)} ${named(one.alias)})`;
    case "Export":
      return `(export ${pos} ${named(one.name)} ${named(one.alias)})`;
  }
};

/** Officially single values are only kept as hashes, so the notation has the ranges alone. */
const switchText = (one: Extract<Stmt, { kind: "Switch" }>): string => {
  const ranges: string[] = [];
  let fallback = "None";
  for (const [index, arm] of one.arms.entries()) {
    if (arm.patterns.length === 0) fallback = `Some(${index})`;
    for (const pattern of arm.patterns) {
      if (pattern.kind !== "Range") continue;
      const { from, to, inclusive } = pattern;
      const isEmpty = inclusive ? from > to : from >= to;
      if (!isEmpty) ranges.push(`${from}${inclusive ? "..=" : ".."}${to} => ${index}`);
    }
  }
  const arms = one.arms.map(
    ({ guard, body }) => `(arm ${guard === null ? "(bool true -)" : expr(guard)} ${asExpr(body)})`,
  );
  return `(switch ${at(one.pos)} ${expr(one.subject)} ${arms.join(" ")} ranges [${ranges.join(",")}] default ${fallback})`;
};
