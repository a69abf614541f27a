import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A program in Rhai and the same algorithm written by hand in JavaScript. Both answer the same number. */
export interface Program {
  readonly name: string;
  /** In `programs`; the official release runs it as well. */
  readonly file: string;
  readonly byHand: () => number;
}

export const pathOf = (program: Program): string => join(import.meta.dir, "programs", program.file);

export const sourceOf = (program: Program): string => readFileSync(pathOf(program), "utf8");

export const PROGRAMS: readonly Program[] = [
  {
    name: "fib(28) x 5",
    file: "fib.rhai",
    byHand: () => {
      const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));
      let r = 0;
      for (let i = 0; i < 5; i++) r += fib(28);
      return r;
    },
  },
  {
    name: "sieve to 1,000,000",
    file: "sieve.rhai",
    byHand: () => {
      const n = 1_000_000;
      const s: boolean[] = Array.from({ length: n + 1 }, () => true);
      s[0] = false;
      s[1] = false;
      for (let p = 2; p * p <= n; p++) if (s[p]) for (let k = p * p; k <= n; k += p) s[k] = false;
      let c = 0;
      for (const x of s) if (x) c++;
      return c;
    },
  },
  {
    name: "while loop, 1,000,000",
    file: "while-loop.rhai",
    byHand: () => {
      let x = 0;
      while (x < 1_000_000) x += 1;
      return x;
    },
  },
  {
    name: "matrix 50 x 50",
    file: "matrix.rhai",
    byHand: () => {
      const n = 50;
      const make = (): number[][] =>
        Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => ((i * j) % 7) + 0.5));
      const a = make();
      const b = make();
      const c: number[][] = [];
      for (let i = 0; i < n; i++) {
        const row: number[] = [];
        for (let j = 0; j < n; j++) {
          let s = 0;
          for (let k = 0; k < n; k++) s += (a[i]?.[k] ?? 0) * (b[k]?.[j] ?? 0);
          row.push(s);
        }
        c.push(row);
      }
      return Math.trunc(c[3]?.[4] ?? 0);
    },
  },
  {
    name: "map of strings",
    file: "map-of-strings.rhai",
    byHand: () => {
      const m = new Map<string, number>();
      for (let i = 0; i < 100_000; i++) {
        const k = `key${i % 1000}`;
        m.set(k, (m.get(k) ?? 0) + 1);
      }
      let t = 0;
      for (const v of m.values()) t += v;
      return t;
    },
  },
  {
    name: "closure pipeline",
    file: "closure-pipeline.rhai",
    byHand: () => {
      const a = Array.from({ length: 50_000 }, (_, i) => i);
      const k = 3;
      return a
        .map((x) => x * k)
        .filter((x) => x % 2 === 0)
        .reduce((s, x) => s + x, 0);
    },
  },
  {
    name: "object with this",
    file: "object-with-this.rhai",
    byHand: () => {
      const o = {
        n: 0,
        add(d: number) {
          this.n += d;
          return this.n;
        },
        half() {
          return Math.trunc(this.n / 2);
        },
      };
      let t = 0;
      for (let i = 0; i < 100_000; i++) {
        o.add(2);
        t += o.half();
      }
      return t;
    },
  },
  {
    name: "methods of functions",
    file: "methods-of-functions.rhai",
    byHand: () => {
      const p = { x: 0, y: 0 };
      const step = (self: typeof p, d: number): void => {
        self.x += d;
        self.y -= d;
      };
      const norm = (self: typeof p): number => self.x * self.x + self.y * self.y;
      let t = 0;
      for (let i = 0; i < 100_000; i++) {
        step(p, i % 3);
        t += norm(p) % 7;
      }
      return t;
    },
  },
  {
    name: "string building",
    file: "string-building.rhai",
    byHand: () => {
      let s = "";
      for (let i = 0; i < 100_000; i++) {
        s += "ab";
        s += "c";
      }
      return s.length;
    },
  },
  {
    name: "string scanning",
    file: "string-scanning.rhai",
    byHand: () => {
      let s = "";
      for (let i = 0; i < 20_000; i++) s += `word${i} `;
      let n = 0;
      for (const c of s) if (c === " ") n++;
      return n + s.split(" ").length;
    },
  },
  {
    name: "sort with comparer",
    file: "sort-with-comparer.rhai",
    byHand: () => {
      const a: number[] = [];
      let x = 12345n;
      for (let i = 0; i < 20_000; i++) {
        x = (x * 1103515245n + 12345n) % 2147483648n;
        a.push(Number(x));
      }
      a.sort((p, q) => p - q);
      return (a[100] ?? 0) + (a[19_999] ?? 0);
    },
  },
  {
    name: "state machine",
    file: "state-machine.rhai",
    byHand: () => {
      let state = 0;
      let n = 0;
      for (let i = 0; i < 300_000; i++) {
        switch (state) {
          case 0:
            state = i % 3 === 0 ? 1 : 2;
            break;
          case 1:
            state = 2;
            break;
          case 2:
            state = 3;
            break;
          case 3:
            state = i % 5 === 0 ? 0 : 1;
            break;
          default:
            state = 0;
        }
        n += state;
      }
      return n;
    },
  },
  {
    name: "blob parsing",
    file: "blob-parsing.rhai",
    byHand: () => {
      const b = new Uint8Array(100_000).fill(7);
      let t = 0;
      for (let i = 0; i < b.length; i++) t += (b[i] ?? 0) * 2 + ((b[i] ?? 0) & 3);
      return t;
    },
  },
  {
    name: "tree walk",
    file: "tree-walk.rhai",
    byHand: () => {
      interface Tree {
        readonly v: number;
        readonly kids: Tree[];
      }
      const build = (d: number): Tree =>
        d === 0 ? { v: 1, kids: [] } : { v: d, kids: [build(d - 1), build(d - 1), build(d - 1)] };
      const total = (t: Tree): number => t.kids.reduce((s, k) => s + total(k), t.v);
      return total(build(8));
    },
  },
  {
    name: "n-body",
    file: "n-body.rhai",
    byHand: () => {
      let x = 0;
      let y = 1;
      let vx = 0.5;
      let vy = 0;
      for (let i = 0; i < 100_000; i++) {
        const d = x * x + y * y + 0.01;
        const a = 1 / (d * d);
        vx -= x * a * 0.001;
        vy -= y * a * 0.001;
        x += vx * 0.001;
        y += vy * 0.001;
      }
      return Math.trunc(x * 1000);
    },
  },
  {
    name: "sum past 2^53",
    file: "sum-past-safe-integers.rhai",
    byHand: () => {
      let s = 9007199254740000n;
      for (let i = 0; i < 100_000; i++) s += BigInt(i);
      return Number(s % 1000007n);
    },
  },
];
