import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { length } from "../runtime/text.ts";
import { Char, charOf } from "../runtime/values.ts";
import { CHANGES, declare } from "./define.ts";
import { chargeUnits, textIn, textResult } from "./results.ts";

const native = declare("string_more");

type Change = (text: string) => string;

const upper: Change = (text) => text.toUpperCase();
const lower: Change = (text) => text.toLowerCase();

export const stringCase: readonly NativeFunction[] = [
  ...changesOfCase("upper", "capital letters", upper),
  ...changesOfCase("lower", "small letters", lower),
];

function changesOfCase(name: string, what: string, change: Change): NativeFunction[] {
  return [
    native(
      `to_${name}(string: string) -> string`,
      `Answers the text in ${what}.`,
      (context: NativeContext, text: string) => {
        chargeUnits(context, text.length);
        return textResult(context, change(text));
      },
    ),
    native(
      `make_${name}(string: string) -> ()`,
      `Changes the text to ${what}.`,
      (context: NativeContext, place: Ref) => {
        chargeUnits(context, textIn(place).length);
        place.set(textResult(context, change(textIn(place))));
      },
      CHANGES,
    ),
    native(
      `to_${name}(character: char) -> char`,
      `Answers the character in ${what}.`,
      (_: NativeContext, character: Char) => changed(character, change),
    ),
    native(
      `make_${name}(character: char) -> ()`,
      `Changes the character to ${what}.`,
      (_: NativeContext, place: Ref) => {
        const character = place.get();
        if (character instanceof Char) place.set(changed(character, change));
      },
      CHANGES,
    ),
  ];
}

/** A character that would become several ones stays as it is. */
function changed(character: Char, change: Change): Char {
  const result = change(character.text);
  return length(result) === 1 ? charOf(result) : character;
}
