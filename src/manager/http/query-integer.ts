import { FormatRegistry, Type, type TInteger, type TSchema } from "@sinclair/typebox";

/**
 * A whole number in a query, which is text. Elysia's own `t.Integer` finds out that a number is out of its range where
 * nobody knows any more which parameter it was.
 */
export function queryInteger(range: {
  readonly minimum: number;
  readonly maximum?: number;
  readonly description: string;
}): TInteger {
  const { minimum, maximum = Number.MAX_SAFE_INTEGER } = range;
  const format = `integer ${minimum} ${maximum}`;
  FormatRegistry.Set(format, (text) => {
    const number = Number(text);
    return /^\d{1,16}$/.test(text) && number >= minimum && number <= maximum;
  });
  const schema: TSchema = Type.Transform(Type.Union([Type.String({ format }), Type.Integer(range)], range))
    .Decode(Number)
    .Encode((number) => number);
  // What handlers get, and what the document shows.
  return schema as TInteger;
}
