import { join } from "node:path";
import { expect, test } from "bun:test";
import { Engine } from "../../src/rhai/index.ts";

/**
 * Sources and the JavaScript made of them, side by side in `generated.snap.md` for review. After a wanted change:
 * `RHAI_UPDATE=1 bun test generated`.
 */
const SOURCES: Readonly<Record<string, string>> = {
  "variables and arithmetic": "let x = 1;\nx += 2;\nx * 3 + 0.5",
  "a constant that a function asks for": "const LIMIT = 5;\nfn f() { global::LIMIT }\nf()",
  "a function": "fn fib(n) {\n  if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n}\nfib(5)",
  "a while loop": "let n = 10;\nwhile n > 0 {\n  n -= 1;\n  if n == 5 { break; }\n}",
  "a loop over a range": "let s = 0;\nfor i in 0..10 { s += i; }\ns",
  "a loop over anything": "let a = [1, 2];\nfor (item, i) in a { print(item); }",
  "a statement as an expression": "let a = [1, if true { 2 } else { 3 }];",
  "a closure and what it captures": "let n = 1;\nlet f = |x| n + x;\nf.call(2)",
  switch: 'let x = 3;\nswitch x {\n  1 | 2 => "few",\n  3..9 if x != 5 => "some",\n  _ => "other"\n}',
  "elements and properties": "let m = #{list: [1, 2]};\nm.list[0] += 5;\nm.list.push(3);\nm?.list[1]",
  "methods and this": "fn grow(by) { this.size += by; }\nlet o = #{size: 1};\no.grow(2);\no.size",
  "try and throw": 'try {\n  throw "x";\n} catch (e) {\n  print(e);\n}',
  "floats stay bare numbers":
    "let x = 0.5;\nlet i = 0;\nwhile x < 100.0 {\n  x = x * 1.5 + i;\n  i += 1;\n}\nx.sqrt()",
  "floats that are likely":
    "fn total(list) {\n  let sum = 0.0;\n  for i in 0..list.len { sum += list[i] * 2.0; }\n  sum\n}",
  "known arrays, blobs and small integers":
    "let a = [];\nlet b = blob(9, 7);\nfor i in 0..b.len { a.push(b[i] & 3); }\na[0] = a.len / 2;",
  text: 'let name = "a\\u2028b</script>";\n`<${name}> ${1 + 1}`',
  "natives that suspend": "fn nap(x) { sleep(x); x }\nfn still(x) { x }\nnap(still(0))",
};

const FILE = join(import.meta.dir, "generated.snap.md");

function document(): string {
  const engine = new Engine();
  const sections = Object.entries(SOURCES).map(([title, source]) => {
    const compiled = engine.compile(source);
    if (!compiled.ok) throw new Error(`${title}: ${compiled.diagnostics[0]?.message}`);
    // The names of closures are random enough to differ between changes that do not matter.
    const code = compiled.script.javascript.replaceAll(/anon\$[0-9a-f]+/g, "anon$");
    return `## ${title}\n\n\`\`\`rhai\n${source}\n\`\`\`\n\n\`\`\`js\n${code}\n\`\`\`\n`;
  });
  return `# Generated code\n\n${sections.join("\n")}`;
}

test("the generated code is the one that was reviewed", async () => {
  const now = document();
  if (process.env["RHAI_UPDATE"] === "1") await Bun.write(FILE, now);
  expect(now).toBe(await Bun.file(FILE).text());
});
