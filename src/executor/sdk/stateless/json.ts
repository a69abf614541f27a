import { JsonError, parseJson, toJson, type NativeContext, type Value } from "../../../rhai/index.ts";
import { prettyJson } from "../../../shared/pretty-json.ts";
import { pure, type SdkNamespace } from "../define.ts";
import { any, text } from "../params.ts";
import { SdkError } from "../sdk-error.ts";

/** Characters of text for one operation. */
const PER_OPERATION = 64;

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof JsonError) throw new SdkError(error.message);
    throw error;
  }
}

function parsed(native: NativeContext, source: string): Value {
  native.charge(Math.ceil(source.length / PER_OPERATION));
  // A value takes several times the memory of its text.
  native.allocate(source.length * 8);
  return native.checkSize(guarded(() => parseJson(source)));
}

function written(native: NativeContext, value: Value): string {
  const { maxStringSize } = native.limits;
  const json = guarded(() => toJson(value, maxStringSize === 0 ? undefined : maxStringSize));
  native.charge(Math.ceil(json.length / PER_OPERATION));
  native.allocate(json.length);
  return json;
}

export const json: SdkNamespace = {
  name: "json",
  doc: "Values as JSON text. Integers of 64 bits stay exact, and 1 and 1.0 stay different, both ways.",
  functions: [
    pure({
      name: "parse",
      params: [text("text")],
      returns: "any",
      doc: "The value of a JSON text; null becomes (). Throws with line and column when it is none.",
      example: {
        source: 'json::parse(`{"a": [1, 1.0, 9007199254740993, null]}`)',
        result: '#{"a": [1, 1.0, 9007199254740993, ()]}',
      },
      errors: [
        {
          source: 'json::parse("{oops")',
          message: "json::parse: line 1, column 2: expected a name in double quotes",
        },
      ],
      call: ({ native }, source) => parsed(native, source),
    }),
    pure({
      name: "stringify",
      params: [any("value")],
      returns: "string",
      doc: "The value as JSON on one line. Blobs become base64. Throws for functions, ranges and NaN.",
      example: {
        source: 'json::stringify(#{ a: [1, 1.0, ()], b: "x" })',
        result: '"{\\"a\\":[1,1.0,null],\\"b\\":\\"x\\"}"',
      },
      errors: [
        {
          source: "json::stringify(|x| x)",
          message: "json::stringify: the value is of type Fn, which JSON cannot hold",
        },
      ],
      call: ({ native }, value) => written(native, value),
    }),
    pure({
      name: "stringify_pretty",
      params: [any("value")],
      returns: "string",
      doc: "The value as JSON, indented by two spaces.",
      example: { source: "json::stringify_pretty(#{ a: 1 })", result: '"{\\n  \\"a\\": 1\\n}"' },
      errors: [
        {
          source: "json::stringify_pretty(0.0 / 0.0)",
          message: "json::stringify_pretty: the value is NaN, which JSON cannot hold",
        },
      ],
      call: ({ native }, value) => {
        const pretty = prettyJson(written(native, value));
        native.allocate(pretty.length);
        return native.checkSize(pretty);
      },
    }),
  ],
};
