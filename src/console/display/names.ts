/** Part of a name. One that is escaped stands for a character that nobody would see. */
export interface NamePart {
  readonly text: string;
  readonly isEscaped: boolean;
}

/** Most characters of a name that are shown at once. */
export const MAX_SHOWN = 48;
/** Shown of the end of a name that is cut: names of one place differ there. */
const TAIL = 12;

/**
 * Control characters, marks that turn the direction of text, characters without width, lone surrogates, and spaces other than the plain one. In a
 * name they make two names look like one, or a name like something else.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|^ +| +$/gu;
/** JSON lays its members out with line ends and plain spaces. */
const HIDDEN_IN_JSON =
  /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

const escapeOf = (characters: string): string =>
  [...characters].map((one) => `\\u{${one.codePointAt(0)!.toString(16)}}`).join('');

/** Parts of a name in their order; what is hidden is escaped. */
export function namePartsOf(name: string): NamePart[] {
  const parts: NamePart[] = [];
  const add = (text: string, isEscaped: boolean): void => {
    if (text !== '') parts.push({ text, isEscaped });
  };
  let end = 0;
  for (const found of name.matchAll(HIDDEN)) {
    add(name.slice(end, found.index), false);
    add(escapeOf(found[0]), true);
    end = found.index + found[0].length;
  }
  add(name.slice(end), false);
  return parts;
}

/** Writes a value as JSON, with what is hidden in its texts as escapes of JSON. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(HIDDEN_IN_JSON, (found) =>
    found.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

/** Cuts the middle out of a long name, between characters. */
export function cutName(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_SHOWN) return name;
  return `${characters.slice(0, MAX_SHOWN - TAIL - 1).join('')}…${characters.slice(-TAIL).join('')}`;
}

/** A name as one text in which nothing is hidden, for what draws or writes without elements. */
export const safeText = (name: string): string =>
  namePartsOf(cutName(name))
    .map(({ text }) => text)
    .join('');
