import { NONE, type Pos } from "../syntax/position.ts";
import { callByName, callPointer, pointerArity } from "./calls.ts";
import { RhaiError } from "./errors.ts";
import { dataTooLarge, hostLimit, inCall, isSystemError, stackOverflow, variableNotFound } from "./faults.ts";
import type { EngineLimits, NativeContext, Ref } from "./native.ts";
import type { Program } from "./program.ts";
import type { RunOptions } from "./run-options.ts";
import { sizesOf } from "./sizes.ts";
import { LONG_TEXT, TextSizes } from "./text-sizes.ts";
import {
  Cell,
  type CompiledFunction,
  type FnPtr,
  RhaiArray,
  RhaiMap,
  type Sizes,
  copyMeter,
  type Value,
} from "./values.ts";

/** Operations between two looks at the clock and at cancellation. */
const CHECK_EVERY = 20_000;

/** Counted bytes between two readings of the real heap. */
const MEMORY_STEP = 4 * 1024 * 1024;

/** Steps of work on data, such as elements that checks of nested sizes visit, between two looks at the clock. */
const MEASURED_STEP = 1_000_000;

/** Units of text that are looked at or copied in the time of such a step, as a power of two. */
const UNITS_PER_STEP = 4;

/** Containers with fewer elements than this, nested ones included, are measured at each change. */
const EXACT_SIZE = 100;

/** Longest string whatever the limits say, in UTF-16 units: JavaScript has a limit of its own. */
const MAX_STRING = 0x1000_0000;

/** Deepest stack where the host sets no limit. A suspended call takes heap instead of stack, which must end too. */
const UNLIMITED_LEVELS = 100_000;

/**
 * Operations of callbacks that do not count against the limit. The official interpreter counts none of them once the
 * callback has returned, so that `sort` may pass with a limit of 30; here, that ends where it could be abused.
 */
const FREE_CALLBACK_OPS = 100_000;

const NO_SIZES: Sizes = { items: 0, entries: 0, text: 0, exact: true };

/** True after a run that was large enough to have its memory read: its values may be garbage by now. */
let leftovers = false;

function collectGarbage(): void {
  (globalThis as { Bun?: { gc(force: boolean): void } }).Bun?.gc(true);
}

function heapAfterCollection(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}

/** An imported module during a run. */
export interface ImportedModule {
  readonly alias: string;
  readonly module: ModuleInstance;
}

/** What `space::name` finds. */
export interface ModuleInstance {
  readonly name: string;
  readonly variables: ReadonlyMap<string, Value>;
  readonly modules: ReadonlyMap<string, ModuleInstance>;
  call(run: Run, name: string, args: Value[], pos: Pos): { found: boolean; value: Value | Promise<Value> };
}

/**
 * The state of one run. Generated code gets it as first argument of everything and touches `ops`, `next`, `depth`,
 * `maxDepth`, `frames` and `callees` directly; the rest goes through methods.
 */
export class Run implements NativeContext {
  /** Operations so far. Past `next`, `check` must be called. */
  ops = 0;
  next: number;
  /** Number of script functions (and of natives that call back) now on the stack. */
  depth = 0;
  readonly maxDepth: number;
  /** For each level of the stack: where the call stands, and who was called (null for a native). */
  readonly frames: Pos[] = [];
  readonly callees: (CompiledFunction | null)[] = [];
  /** Operations of callbacks that were taken off `ops` again. */
  forgiven = 0;
  memory = 0;
  nextMemory: number;
  callPos: Pos = NONE;
  readonly limits: EngineLimits;
  readonly host: unknown;
  readonly options: RunOptions;
  program: Program;
  /** Whether any size limit is set. */
  readonly sized: boolean;
  imports: ImportedModule[] = [];
  modulesLoaded = 0;
  /** Global constants by name, as `global::NAME` finds them; null outside of the main script. */
  readonly globals = new Map<string, Value>();
  /** Set by a chain: whether it may have changed what it was applied to. */
  changed = false;
  /** Variables that the running module exports, by their outer names. */
  exported = new Map<string, Cell>();
  /** Set by the compiler: compiles and runs a module, null when there is none of that name. */
  loadModule: (name: string, pos: Pos) => ModuleInstance | Promise<ModuleInstance> | null = () => null;
  readonly #heapAtStart: number;
  /** Bytes of the heap above those at the start, at the last reading. */
  #read = 0;
  #countedAtReading = 0;
  readonly #texts = new TextSizes();
  /** Work done since the last look at the clock. */
  #work = 0;

  constructor(program: Program, limits: EngineLimits, options: RunOptions) {
    this.program = program;
    this.limits = limits;
    this.options = options;
    this.host = options.context;
    this.maxDepth = limits.maxCallLevels > 0 ? limits.maxCallLevels : UNLIMITED_LEVELS;
    this.next = this.#nextCheck();
    this.nextMemory = MEMORY_STEP;
    this.activate();
    this.sized = limits.maxStringSize > 0 || limits.maxArraySize > 0 || limits.maxMapSize > 0;
    this.#heapAtStart = limits.maxMemory > 0 ? this.#startingHeap() : 0;
  }

  /** Makes this the run that hears of copies on write. */
  activate(): void {
    copyMeter.listener = this;
  }

  /** Hears of a copy on write. */
  copied(elements: number): void {
    this.allocate(elements * 8);
  }

  /** The slow half of counting: operations, deadline, cancellation. */
  check(pos: Pos): void {
    const { maxOperations } = this.limits;
    if (maxOperations > 0 && this.ops > maxOperations) {
      throw new RhaiError("ErrorTooManyOperations", "Too many operations", pos);
    }
    this.activate();
    this.checkHost(pos);
    this.next = this.#nextCheck();
  }

  /** Deadline and cancellation. */
  checkHost(pos: Pos): void {
    const { deadline, cancelled } = this.options;
    if (deadline !== undefined && performance.now() > deadline) {
      throw new RhaiError("ErrorDeadline", "Script ran past its deadline", pos);
    }
    if (cancelled?.(this.memory) === true) throw new RhaiError("ErrorCancelled", "Script was cancelled", pos);
  }

  #nextCheck(): number {
    const { maxOperations } = this.limits;
    const next = this.ops + CHECK_EVERY;
    return maxOperations > 0 ? Math.min(next, maxOperations) : next;
  }

  charge(operations: number): void {
    this.ops += operations;
    if (this.ops > this.next) this.check(this.callPos);
  }

  allocate(bytes: number): void {
    this.memory += bytes;
    if (this.memory > this.nextMemory) this.checkMemory();
  }

  /**
   * Every few MiB of counted memory: looks at deadline and cancellation, and whether the limit may be passed. The
   * engine's own figure of its heap is only right after a collection, so what was counted since the last one is
   * added; when the sum passes the limit, garbage is collected and the heap is read anew.
   */
  checkMemory(): void {
    this.nextMemory = this.memory + MEMORY_STEP;
    this.checkHost(this.callPos);
    const { maxMemory } = this.limits;
    if (maxMemory === 0 || this.#read + this.memory - this.#countedAtReading <= maxMemory) return;
    collectGarbage();
    this.#read = Math.max(0, this.#heap() - this.#heapAtStart);
    this.#countedAtReading = this.memory;
    leftovers = true;
    if (this.#read > maxMemory) this.outOfMemory();
    // Not more often than the limit's worth of counted bytes in sixteen collections.
    this.nextMemory = this.memory + Math.max(MEMORY_STEP, maxMemory / 16);
  }

  outOfMemory(): never {
    const { maxMemory } = this.limits;
    throw new RhaiError(
      "ErrorMemory",
      `Script uses too much memory (limit ${maxMemory} bytes)`,
      this.callPos,
    );
  }

  /** What an earlier run left behind must not count as there from the start. */
  #startingHeap(): number {
    if (leftovers) collectGarbage();
    leftovers = false;
    return this.#heap();
  }

  #heap(): number {
    return this.options.heapBytes?.() ?? heapAfterCollection();
  }

  checkSize<T extends Value>(value: T): T {
    if (this.sized) this.checkSizeAt(value, this.callPos);
    return value;
  }

  checkSizeAt(value: Value, pos: Pos): Sizes {
    const { maxStringSize, maxArraySize, maxMapSize } = this.limits;
    if (typeof value === "string") {
      if (maxStringSize === 0 || value.length * 3 <= maxStringSize) return NO_SIZES;
      if (value.length > maxStringSize || this.#texts.bytesOf(value) > maxStringSize) {
        throw dataTooLarge("Length of string", pos);
      }
      return NO_SIZES;
    }
    if (typeof value !== "object") return NO_SIZES;
    let sizes = sizesOf(value, this.limits, this.#texts, false);
    if (maxStringSize > 0 && sizes.text > maxStringSize && !sizes.exact)
      sizes = sizesOf(value, this.limits, this.#texts, true);
    this.worked(sizes.items + sizes.entries, pos);
    if (maxStringSize > 0 && sizes.text > maxStringSize) throw dataTooLarge("Length of string", pos);
    if (maxArraySize > 0 && sizes.items > maxArraySize) throw dataTooLarge("Size of array/BLOB", pos);
    if (maxMapSize > 0 && sizes.entries > maxMapSize) throw dataTooLarge("Size of object map", pos);
    return sizes;
  }

  /** Counts work that is no operation of the script, so that the clock is looked at in time. */
  worked(steps: number, pos: Pos): void {
    this.#work += steps;
    if (this.#work <= MEASURED_STEP) return;
    this.#work = 0;
    this.checkHost(pos);
  }

  /** Work on the characters of a string that is built in. */
  lookedAt(text: string, pos: Pos): void {
    if (text.length >= LONG_TEXT) this.worked(text.length >>> UNITS_PER_STEP, pos);
  }

  /** `a` followed by `b`. Takes constant time and memory, as joined strings are stored as trees. */
  concat(a: string, b: string, pos = this.callPos): string {
    const { maxStringSize, maxMemory } = this.limits;
    const length = a.length + b.length;
    if (length > MAX_STRING || (maxStringSize > 0 && length > maxStringSize))
      throw dataTooLarge("Length of string", pos);
    const text = a + b;
    this.allocate(Math.min(a.length, b.length) + 32);
    // The heap does not show yet what a tree will take.
    if (maxMemory > 0 && length > maxMemory) this.outOfMemory();
    if (length >= LONG_TEXT) this.#joinedLong(text, a, b, pos);
    else if (maxStringSize > 0 && length * 3 > maxStringSize) this.checkSizeAt(text, pos);
    return text;
  }

  #joinedLong(text: string, a: string, b: string, pos: Pos): void {
    const { maxStringSize } = this.limits;
    this.worked(text.length >>> UNITS_PER_STEP, pos);
    if (maxStringSize === 0 || text.length * 3 <= maxStringSize) return;
    if (this.#texts.joined(text, a, b) > maxStringSize) throw dataTooLarge("Length of string", pos);
  }

  /**
   * checkSizeAt for a container that just grew. Nested sizes of a large one are counted only after a quarter as many
   * changes as it has elements, so that filling it stays linear; its own length is exact always.
   */
  checkGrown(value: Value, pos: Pos, nested = true): void {
    const { maxArraySize, maxMapSize } = this.limits;
    if (value instanceof RhaiArray) {
      if (maxArraySize > 0 && value.items.length > maxArraySize)
        throw dataTooLarge("Size of array/BLOB", pos);
    } else if (value instanceof RhaiMap) {
      if (maxMapSize > 0 && value.entries.size > maxMapSize) throw dataTooLarge("Size of object map", pos);
    } else {
      this.checkSizeAt(value, pos);
      return;
    }
    if (!nested) return;
    if (value.grace > 0) {
      value.grace -= 1;
      return;
    }
    const { items, entries } = this.checkSizeAt(value, pos);
    value.grace = items + entries > EXACT_SIZE ? (items + entries) >>> 2 : 0;
  }

  /** Throws the error of a call beyond the limit. */
  overflow(pos: Pos): never {
    throw stackOverflow(pos);
  }

  /**
   * What came out of `throw` seen from a function at `depth`: wrapped in the calls between. Also turns an exhausted
   * JavaScript stack into the script's error. Anything else that is no RhaiError is a fault of ours and passes.
   */
  unwind(thrown: unknown, depth: number): unknown {
    let error = thrown instanceof RhaiError ? thrown : hostLimit(thrown);
    if (error === null) {
      this.depth = depth;
      return thrown;
    }
    for (let level = this.depth - 1; level >= depth; level--) {
      const callee = this.callees[level];
      if (callee === null || callee === undefined) continue;
      const pos = this.frames[level] ?? NONE;
      if (error.kind === "ErrorTerminated" && error.text === "exit") continue;
      if (isSystemError(error)) error.pos = pos;
      else error = inCall(error, callee.name, pos);
    }
    this.depth = depth;
    return error;
  }

  /** What a `catch` gets: the error if it may be caught. */
  caught(thrown: unknown, depth: number): RhaiError {
    const error = this.unwind(thrown, depth);
    if (!(error instanceof RhaiError) || isSystemError(error)) throw error;
    return error;
  }

  /** A constant of the host. */
  external(name: string, pos: Pos): Value {
    const { scope } = this.options;
    if (scope !== undefined && Object.hasOwn(scope, name)) return scope[name];
    throw variableNotFound(name, pos);
  }

  /** A native that calls back counts as a level of the stack. */
  call(fn: FnPtr, args: readonly Value[], self?: Ref): Value | Promise<Value> {
    const { depth, callPos, ops } = this;
    this.frames[depth] = callPos;
    this.callees[depth] = null;
    this.depth = depth + 1;
    try {
      const value = callPointer(this, fn, args, self === undefined ? null : asCell(self), callPos);
      if (value instanceof Promise) return this.#resumed(value, depth, callPos, ops);
      this.#forgive(ops);
      this.depth = depth;
      this.callPos = callPos;
      return value;
    } catch (error) {
      throw this.#failed(error, depth, callPos);
    }
  }

  callByName(name: string, args: readonly Value[], self?: Ref): Value | Promise<Value> {
    const { depth, callPos, ops } = this;
    this.frames[depth] = callPos;
    this.callees[depth] = null;
    this.depth = depth + 1;
    try {
      const value = callByName(this, name, args, self === undefined ? null : asCell(self), callPos);
      if (value instanceof Promise) return this.#resumed(value, depth, callPos, ops);
      this.#forgive(ops);
      this.depth = depth;
      this.callPos = callPos;
      return value;
    } catch (error) {
      throw this.#failed(error, depth, callPos);
    }
  }

  async #resumed(promise: Promise<Value>, depth: number, callPos: Pos, ops: number): Promise<Value> {
    try {
      const value = await promise;
      this.#forgive(ops);
      this.depth = depth;
      this.callPos = callPos;
      return value;
    } catch (error) {
      throw this.#failed(error, depth, callPos);
    }
  }

  /** Takes what a callback counted off again, as far as that is free. */
  #forgive(before: number): void {
    const counted = this.ops - before;
    if (this.forgiven + counted > FREE_CALLBACK_OPS) return;
    this.forgiven += counted;
    this.ops = before;
  }

  #failed(error: unknown, depth: number, callPos: Pos): unknown {
    const unwound = this.unwind(error, depth);
    this.callPos = callPos;
    return unwound;
  }

  arityOf(fn: FnPtr): number {
    return pointerArity(this, fn);
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.options.wait?.(promise) ?? promise;
  }

  print(text: string): void {
    this.options.print?.(text, this.callPos);
  }

  debug(text: string): void {
    this.options.debug?.(text, this.callPos);
  }
}

/** A Ref as a cell: cells are Refs already; any other one is read now and written back by nobody but itself. */
function asCell(ref: Ref): Cell {
  return ref instanceof Cell ? ref : new RefCell(ref);
}

/** A cell whose value lives behind a Ref of a native. */
class RefCell extends Cell {
  constructor(ref: Ref) {
    super(undefined);
    Object.defineProperty(this, "value", {
      get: () => ref.get(),
      set: (value: Value) => {
        ref.set(value);
      },
    });
  }
}
