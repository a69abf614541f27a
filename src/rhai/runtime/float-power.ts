/**
 * x to the power of y as the C library gives it. The engine's own `**` multiplies in a loop when y is a small
 * integer, which is off in the last digits; here those products carry their rounding error along.
 */
export function floatPower(x: number, y: number): number {
  // C answers 1 in these cases, JavaScript NaN.
  if (x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y))) return 1;
  if (y === -0.5) return inverseRoot(x);
  if (!Number.isInteger(y) || y < 0 || y > LARGEST || !Number.isFinite(x) || x === 0) return x ** y;
  const power = integerPower(x, y);
  // Splitting a factor overflows near one end of the range, and the errors underflow near the other.
  const magnitude = Math.abs(power.high + power.low);
  return magnitude < 1e305 && magnitude > 1e-285 ? power.high + power.low : x ** y;
}

/** The engine answers 1 / sqrt(x), which is off in the last digit; one step of Newton's method with more digits mends it. */
function inverseRoot(x: number): number {
  const root = x ** -0.5;
  if (!Number.isFinite(root) || root === 0 || !(x < 1e150 && x > 1e-150)) return root;
  const one = multiply(multiply({ high: root, low: 0 }, { high: root, low: 0 }), { high: x, low: 0 });
  return root + (root * (1 - one.high - one.low)) / 2;
}

/** Other exponents are left to the engine, which then asks the C library. */
const LARGEST = 1000;

/** A number with about twice the digits: the sum of both, where `low` is less than half a unit of `high`. */
interface Double {
  readonly high: number;
  readonly low: number;
}

function integerPower(x: number, exponent: number): Double {
  let result: Double = { high: 1, low: 0 };
  let base: Double = { high: x, low: 0 };
  let rest = exponent;
  while (rest > 0) {
    if (rest % 2 === 1) result = multiply(result, base);
    rest = Math.floor(rest / 2);
    if (rest > 0) base = multiply(base, base);
  }
  return result;
}

/** Dekker's product (Numerische Mathematik 18, 1971). */
function multiply(a: Double, b: Double): Double {
  const product = a.high * b.high;
  const [a1, a2] = split(a.high);
  const [b1, b2] = split(b.high);
  const error = a1 * b1 - product + a1 * b2 + a2 * b1 + a2 * b2;
  const low = error + a.high * b.low + a.low * b.high;
  const high = product + low;
  return { high, low: product - high + low };
}

function split(value: number): [number, number] {
  const scaled = value * 134217729;
  const high = scaled - (scaled - value);
  return [high, value - high];
}
