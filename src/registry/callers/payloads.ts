import { isWithPayloads, RescindError } from '../../contracts/index.js';
import type { CallerRoles } from '../../control/index.js';

interface Asking {
  readonly roles: CallerRoles;
}

/**
 * Decides whether a caller may see payloads, addresses and networks of clients, and exports: the one place that does. The bound `payloads: false`
 * of the role `audit` counts whatever other roles the caller has. Without `audit`, administrators see what the routes of their role show.
 */
export const maySeePayloads = ({ roles: { audit, admin } }: Asking): boolean =>
  audit === undefined ? admin !== undefined : audit.payloads === undefined;

/** Throws `forbidden` if the caller may not see payloads. `what` names what it asked for. */
export function requirePayloads(caller: Asking, what: string): void {
  if (!maySeePayloads(caller))
    throw new RescindError('forbidden', {
      detail: `the caller needs the role audit without \`payloads: false\` for ${what}`,
    });
}

/** Returns an answer with null in each member that its schema marks as one with payloads. */
export function withoutPayloads(schema: object, answer: unknown): unknown {
  if (isWithPayloads(schema)) return null;
  if (typeof answer !== 'object' || answer === null) return answer;
  const { anyOf, items, properties = {} } = schema as Described;
  if (anyOf !== undefined) return anyOf.reduce((shown: unknown, one) => withoutPayloads(one, shown), answer);
  if (Array.isArray(answer))
    return items === undefined ? answer : answer.map((one: unknown) => withoutPayloads(items, one));
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      const member = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return [name, member === undefined ? value : withoutPayloads(member, value)];
    }),
  );
}

interface Described {
  readonly anyOf?: readonly object[];
  readonly items?: object;
  readonly properties?: Readonly<Record<string, object>>;
}
