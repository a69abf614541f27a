/** Character classes of the language, by code point. End of input is -1, which belongs to none. */

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Only ASCII letters may begin a name (underscores may precede them). */
export const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);

export const isNamePart = (code: number): boolean => isLetter(code) || isDigit(code) || code === 95;

export const isHexDigit = (code: number): boolean =>
  isDigit(code) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);

/** White space between tokens: space, tab, line feed, form feed, carriage return. */
export const isBlank = (code: number): boolean =>
  code === 32 || code === 9 || code === 10 || code === 12 || code === 13;

/** The Unicode property White_Space, which decides what a continued string line drops and what `trim` cuts. */
export const isUnicodeSpace = (code: number): boolean =>
  (code >= 9 && code <= 13) ||
  code === 32 ||
  code === 0x85 ||
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x2028 ||
  code === 0x2029 ||
  code === 0x202f ||
  code === 0x205f ||
  code === 0x3000;

/** A name: any number of underscores, a letter, then letters, digits and underscores. */
export const isValidName = (name: string): boolean => /^_*[A-Za-z][A-Za-z0-9_]*$/.test(name);

/** Bytes that a code point takes in UTF-8, the unit of string size limits. */
export const utf8Length = (code: number): number =>
  code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
