import { Char, Float, FnPtr, HostValue, Range, RhaiArray, RhaiBlob, RhaiMap, type Value } from "./values.ts";

/** What `type_of` answers. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "number":
    case "bigint":
      return "i64";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "undefined":
      return "()";
    default:
      return objectTypeName(value);
  }
}

/** The spelling of a value's type in "Function not found" texts. */
export function signatureTypeName(value: Value): string {
  return typeName(value) === "string" ? "&str | ImmutableString | String" : typeName(value);
}

/** `name (type, type)` as the official errors show a call that no function takes. */
export function signature(name: string, args: readonly Value[]): string {
  return `${name} (${args.map(signatureTypeName).join(", ")})`;
}

/**
 * The spelling in "Data type incorrect" texts where the official interpreter does not translate the names of its own
 * Rust types.
 */
export function rustTypeName(value: Value): string {
  if (value instanceof Range) {
    return value.inclusive ? "core::ops::range::RangeInclusive<i64>" : "core::ops::range::Range<i64>";
  }
  return value instanceof HostValue ? hostTypeName(value) : typeName(value);
}

/** A native object may name the Rust type that it stands for. */
export function hostTypeName(value: HostValue): string {
  return "hostName" in value && typeof value.hostName === "string" ? value.hostName : value.typeName;
}

function objectTypeName(value: object): string {
  if (value instanceof Float) return "f64";
  if (value instanceof RhaiArray) return "array";
  if (value instanceof RhaiMap) return "map";
  if (value instanceof Char) return "char";
  if (value instanceof RhaiBlob) return "blob";
  if (value instanceof Range) return value.inclusive ? "range=" : "range";
  if (value instanceof FnPtr) return "Fn";
  return value instanceof HostValue ? value.typeName : "unknown";
}
