import { UsageError } from '../terminal.js';

/** Names whose values are numbers. Others are texts, also if they consist of digits. */
export const NUMBERS: ReadonlySet<string> = new Set(['status', 'hour_of_day']);

/** `!=`, `^=`, `>=` and `<` before `=`, so that the longer sign is found first. */
const FORM = /^([a-z_]+)(!=|\^=|>=|<|=)(.*)$/s;
const ONE = /^only:([1-9][0-9]{0,9})$/;
const ID = /^id:([1-9][0-9]{0,9})$/;

export const WHERE_HELP =
  'a condition, may be repeated: `operation=export`, `user=alice,bob` (any of these), `source!=crm`, `route^=GET ` (begins with), `status>=400`, `status<500`, `agent=` (without one); `user=id:12` means an entity by its id, and `user=only:12` this name of a user or a client without its others';

/** Reads conditions such as `operation=export` and returns the filter of the question. */
export function readConditions(texts: readonly string[]): Readonly<Record<string, object>> {
  const filter: Record<string, Record<string, unknown>> = Object.create(null);
  for (const text of texts) {
    const [, name, sign, rest] = FORM.exec(text) ?? [];
    if (name === undefined) throw new UsageError(`--where takes name=value, such as operation=export: ${text}`);
    const condition = (filter[name] ??= {});
    for (const [member, value] of membersOf(name, sign!, rest!)) {
      if (member in condition) throw new UsageError(`--where says ${member} of ${name} twice`);
      condition[member] = value;
    }
  }
  return filter;
}

function membersOf(name: string, sign: string, text: string): [string, unknown][] {
  const value = (one: string): unknown => valueOf(name, one);
  if (text === '') {
    if (sign === '=' || sign === '!=') return [['missing', sign === '=']];
    throw new UsageError(`--where ${name}${sign} needs a value`);
  }
  const [, only] = ONE.exec(text) ?? [];
  if (sign === '=' && only !== undefined) return [['entity', Number(only)]];
  switch (sign) {
    case '=':
      return text.includes(',') ? [['in', text.split(',').map(value)]] : [['equals', value(text)]];
    case '!=':
      return [['not', text.split(',').map(value)]];
    case '^=':
      return [['prefix', text]];
    case '>=':
      return [[NUMBERS.has(name) ? 'min' : 'from', value(text)]];
    default:
      return [NUMBERS.has(name) ? ['max', Number(value(text)) - 1] : ['to', value(text)]];
  }
}

function valueOf(name: string, text: string): unknown {
  if (NUMBERS.has(name)) {
    if (!/^[0-9]{1,9}$/.test(text)) throw new UsageError(`${name} is a number: ${text}`);
    return Number(text);
  }
  const [, id] = ID.exec(text) ?? [];
  return id === undefined ? text : Number(id);
}
