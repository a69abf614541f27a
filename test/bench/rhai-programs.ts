/** A program in Rhai and the same algorithm written by hand in JavaScript. Both answer the same number. */
export interface Program {
  readonly name: string;
  readonly source: string;
  readonly byHand: () => number;
}

export const PROGRAMS: readonly Program[] = [
  {
    name: "fib(28) x 5",
    source:
      "fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } let r = 0; for i in 0..5 { r += fib(28); } r",
    byHand: () => {
      const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));
      let r = 0;
      for (let i = 0; i < 5; i++) r += fib(28);
      return r;
    },
  },
  {
    name: "sieve to 1,000,000",
    source: `let n = 1000000; let s = []; s.pad(n + 1, true); s[0] = false; s[1] = false; let p = 2;
      while p * p <= n { if s[p] { let k = p * p; while k <= n { s[k] = false; k += p; } } p += 1; }
      let c = 0; for x in s { if x { c += 1; } } c`,
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
    source: "let x = 0; while x < 1000000 { x += 1; } x",
    byHand: () => {
      let x = 0;
      while (x < 1_000_000) x += 1;
      return x;
    },
  },
  {
    name: "matrix 50 x 50",
    source: `fn make(n) { let a = []; for i in 0..n { let r = []; for j in 0..n { r.push((i * j % 7).to_float() + 0.5); } a.push(r); } a }
      let n = 50; let a = make(n); let b = make(n); let c = [];
      for i in 0..n { let row = []; for j in 0..n { let s = 0.0; for k in 0..n { s += a[i][k] * b[k][j]; } row.push(s); } c.push(row); }
      c[3][4].to_int()`,
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
    source: `let m = #{}; for i in 0..100000 { let k = "key" + (i % 1000); if k in m { m[k] += 1; } else { m[k] = 1; } }
      let t = 0; for k in m.keys() { t += m[k]; } t`,
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
    source: `let a = []; for i in 0..50000 { a.push(i); } let k = 3;
      a.map(|x| x * k).filter(|x| x % 2 == 0).reduce(|s, x| s + x, 0)`,
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
    source: `let o = #{n: 0, add: |d| { this.n += d; this.n}, half: || { this.n / 2 }};
      let t = 0; for i in 0..100000 { o.add(2); t += o.half(); } t`,
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
    source: `fn step(d) { this.x += d; this.y -= d; } fn norm() { this.x * this.x + this.y * this.y }
      let p = #{x: 0, y: 0}; let t = 0; for i in 0..100000 { p.step(i % 3); t += p.norm() % 7; } t`,
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
    source: `let s = ""; for i in 0..100000 { s += "ab"; s += 'c'; } s.len`,
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
    source: `let s = ""; for i in 0..20000 { s += "word" + i + " "; } let n = 0; for c in s { if c == ' ' { n += 1; } } n + s.split(" ").len`,
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
    source: `let a = []; let x = 12345; for i in 0..20000 { x = (x * 1103515245 + 12345) % 2147483648; a.push(x); }
      a.sort(|p, q| p - q); a[100] + a[19999]`,
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
    source: `let state = 0; let n = 0; for i in 0..300000 {
      state = switch state { 0 => if i % 3 == 0 { 1 } else { 2 }, 1 => 2, 2 => 3, 3 if i % 5 == 0 => 0, 3 => 1, _ => 0 };
      n += state; } n`,
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
    source: `let b = blob(100000, 7); let t = 0; let i = 0; while i < b.len { t += b[i] * 2 + (b[i] & 3); i += 1; } t`,
    byHand: () => {
      const b = new Uint8Array(100_000).fill(7);
      let t = 0;
      for (let i = 0; i < b.length; i++) t += (b[i] ?? 0) * 2 + ((b[i] ?? 0) & 3);
      return t;
    },
  },
  {
    name: "tree walk",
    source: `fn build(d) { if d == 0 { #{v: 1, kids: []} } else { #{v: d, kids: [build(d - 1), build(d - 1), build(d - 1)]} } }
      fn total(t) { let s = t.v; for k in t.kids { s += total(k); } s } let t = build(8); total(t)`,
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
    source: `let x = 0.0; let y = 1.0; let vx = 0.5; let vy = 0.0; let i = 0;
      while i < 100000 { let d = x * x + y * y + 0.01; let a = 1.0 / (d * d); vx -= x * a * 0.001; vy -= y * a * 0.001; x += vx * 0.001; y += vy * 0.001; i += 1; }
      (x * 1000.0).to_int()`,
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
    source: "let s = 9007199254740000; for i in 0..100000 { s += i; } s % 1000007",
    byHand: () => {
      let s = 9007199254740000n;
      for (let i = 0; i < 100_000; i++) s += BigInt(i);
      return Number(s % 1000007n);
    },
  },
];
