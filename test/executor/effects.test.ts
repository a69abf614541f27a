import { describe, expect, test } from "bun:test";
import { effectsOf } from "../../src/executor/effects.ts";
import { parse } from "../../src/rhai/index.ts";

function effects(source: string) {
  const result = parse(source);
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return effectsOf(result.script);
}

/** `service name ops` of all that is written, by whichever function. */
const writes = (source: string): string[] =>
  effects(source)
    .flatMap((unit) => unit.writes)
    .map(({ service, name, ops }) => [service, name, ...ops].join(" "));

describe("what a script writes", () => {
  test("is found where a collection or topic is named", () => {
    expect(writes('kv::collection("a").set("k", 1)')).toEqual(["kv a insert update"]);
    expect(writes('let c = kv::collection("a"); c.incr("n"); c.delete("k");')).toEqual([
      "kv a insert update delete",
    ]);
    expect(writes('const C = docs::collection("d"); C.create(#{}); C.patch("id", #{});')).toEqual([
      "docs d create update",
    ]);
    expect(writes('pubsub::publish_durable("t.a", #{ n: 1 })')).toEqual(["pubsub t.a publish"]);
    expect(writes('let name = "a"; let c = kv::collection(name + ":b"); set(c, "k", 1);')).toEqual([
      "kv a:b insert update",
    ]);
    expect(writes('const T = "t"; fn tell(x) { pubsub::publish_durable(global::T, x) } tell(1);')).toEqual([
      "pubsub t publish",
    ]);
  });

  test("is found wherever it stands", () => {
    const write = 'kv::collection("a").delete("k")';
    for (const source of [
      `if x { } else if y { ${write} }`,
      `let x = [1, #{ y: ${write} }];`,
      `for i in 0..${write} { }`,
      `for i in 0..1 { ${write} }`,
      `while ${write} { }`,
      `do { ${write}; } while true;`,
      `loop { ${write}; break; }`,
      `switch 1 { 1 if ${write} => 2, _ => 3 }`,
      `switch 1 { _ => { ${write} } }`,
      `try { throw 1; } catch (e) { ${write}; }`,
      `return ${write};`,
      `let f = |x| ${write};`,
      `tx::run(|| { tx::run(|| ${write}); });`,
      `\`\${${write}}\``,
      `x.y[${write}] = 1;`,
      `let c = kv::collection("a"); let f = || c.delete("k"); f.call();`,
      `foo(!(1 + ${write} || false));`,
    ])
      expect([source, writes(source)]).toEqual([source, ["kv a delete"]]);
  });

  test("is not what is only read, computed, or something else's", () => {
    for (const source of [
      'let c = kv::collection("a"); c.get("k"); c.get_many(["k"]); c.has("k"); c.list();',
      'let c = docs::collection("a"); c.find(#{}); c.get("k"); c.count(#{}); c.create_index("f"); c.page(#{});',
      "kv::collection(ctx.request.body).set(1, 2)",
      'let c = kv::collection("a"); c = other(); c.set("k", 1);',
      '{ let c = kv::collection("a"); c.get("k"); } { let c = other(); c.set("k", 1); }',
      'let c = kv::collection("a"); c.get("k").set("x", 1);',
      'fn set(c) { c.delete("x") }',
      'let c = kv::collection("a"); let f = |c| c.set("k", 1);',
      'let c = kv::collection("a"); for c in [1] { c.set(1); }',
      'let c = #{ collection: |x| x }; c.collection("a").set("k", 1);',
      'other::collection("a").set("k", 1)',
      'let c = kv::collection("a"); c.constructor("k"); c.toString();',
    ])
      expect([source, writes(source)]).toEqual([source, []]);
  });

  test("is told of each function, with what it calls", () => {
    const source = `
      import "store" as store;
      fn unused() { kv::collection("u").set("k", 1) }
      fn a(x) { b(); store::save(x) }
      fn b() { kv::collection("b").delete("k") }
      fn b(x) { [1].map(c) }
      fn c(x) { Fn("unused") }
      a(1); x.b();`;
    expect(effects(source)).toEqual([
      { name: "", writes: [], calls: ["store::", "a", "b"] },
      { name: "unused", writes: [{ service: "kv", name: "u", ops: ["insert", "update"] }], calls: [] },
      { name: "a", writes: [], calls: ["b", "store::save"] },
      { name: "b", writes: [{ service: "kv", name: "b", ops: ["delete"] }], calls: ["c"] },
      { name: "c", writes: [], calls: ["unused"] },
    ]);
    expect(effects("fn f() { 1 } f()")).toEqual([{ name: "", writes: [], calls: ["f"] }]);
  });
});
