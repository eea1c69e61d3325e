/** Shown of a list of objects, of a list of words, and of a text; what is cut off is said. */
const SHOWN_ITEMS = 2;
const SHOWN_WORDS = 6;
const SHOWN_TEXT = 60;
const WIDTH = 110;

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;

/** Members that are drawn anew in every deployment. */
const DRAWN: ReadonlySet<string> = new Set(['salt', 'commitment', 'leaf_hash', 'bytes']);

export const withoutUuids = (text: string): string => text.replaceAll(UUID, '<uuid>');

/** An answer as the page shows it: lists and texts cut, random values replaced, and each cut marked. */
export function shorten(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) {
    const shown = value.slice(0, typeof value[0] === 'object' ? SHOWN_ITEMS : SHOWN_WORDS).map((each) => shorten(each));
    return value.length > shown.length ? [...shown, `… ${value.length - shown.length} more`] : shown;
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, shorten(inner, member)]));
  if (typeof value !== 'string') return value;
  if (DRAWN.has(name)) return '…';
  const text = withoutUuids(value);
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
}

const EXAMPLE_UUID = '00000000-0000-4000-8000-000000000000';
const EXAMPLE_BYTES = 'AAAA';
const EXAMPLE_TEXT = 300;

/** An answer as an example in OpenAPI: cut in the same places, but nothing stands in it that an answer could not hold. */
export function exampleOf(value: unknown, name = ''): unknown {
  if (Array.isArray(value))
    return value.slice(0, typeof value[0] === 'object' ? SHOWN_ITEMS : SHOWN_WORDS).map((each) => exampleOf(each));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, exampleOf(inner, member)]));
  if (typeof value !== 'string') return value;
  return DRAWN.has(name) ? EXAMPLE_BYTES : value.replaceAll(UUID, EXAMPLE_UUID).slice(0, EXAMPLE_TEXT);
}

/** JSON of which what fits on a line stands on one. */
export function format(value: unknown, indent = ''): string {
  const line = oneLine(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= WIDTH) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value))
    return `[\n${value.map((each) => `${inner}${format(each, inner)}`).join(',\n')}\n${indent}]`;
  return `{\n${Object.entries(value)
    .map(([name, each]) => `${inner}${JSON.stringify(name)}: ${format(each, inner)}`)
    .join(',\n')}\n${indent}}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${oneLine(each)}`);
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
  }
  return JSON.stringify(value);
}
