import { nameOf, type Entity } from '../../../display/entity.js';
import { safeText } from '../../../display/names.js';
import type { Dimension, Filter } from '../question/vocabulary.js';
import type { Group } from '../question/queries.js';

/* What a group is, as text and as a filter. */

const HOUR_LENGTH = 'yyyy-mm-ddThh:mm'.length;
const DAY_LENGTH = 'yyyy-mm-dd'.length;

/** The entity that a group is of; undefined if the dimension has none. */
export function entityOf(dimension: Dimension, group: Group): Entity | undefined {
  switch (dimension) {
    case 'user':
      return group.user ? { kind: 'user', is: group.user } : undefined;
    case 'client':
      return group.client ? { kind: 'client', is: group.client } : undefined;
    case 'agent':
      return group.agent ? { kind: 'agent', is: group.agent } : undefined;
    case 'resource':
      return group.resource ? { kind: 'resource', is: group.resource } : undefined;
    default:
      return undefined;
  }
}

/** The value of a group as the API says it, for what is no entity. Hours and days are UTC. */
export function plainText(dimension: Dimension, group: Group): string | undefined {
  const value = group[dimension];
  if (value === null || value === undefined) return undefined;
  if (dimension === 'source') return group.source!.name ?? 'Rescind';
  if (dimension === 'day') return String(value).slice(0, DAY_LENGTH);
  if (dimension === 'hour') return String(value).slice(0, HOUR_LENGTH).replace('T', ' ');
  if (dimension === 'hour_of_day') return `${String(value).padStart(2, '0')}:00`;
  return String(value);
}

/** The value of one dimension of a group as text for a chart, in which nothing is hidden. */
export function valueText(dimension: Dimension, group: Group): string {
  const entity = entityOf(dimension, group);
  const text = entity === undefined ? plainText(dimension, group) : nameOf(entity);
  return text === undefined ? `no ${dimension.replaceAll('_', ' ')}` : safeText(text);
}

/** The conditions that the uses of a group meet. */
export function filterOfGroup(by: readonly Dimension[], group: Group): Filter {
  return Object.fromEntries(
    by.map((dimension) => {
      const value = group[dimension];
      if (value === null || value === undefined) return [dimension, { missing: true }];
      const entity = entityOf(dimension, group);
      // The other names of a user or a client are groups of their own.
      if (dimension === 'user' || dimension === 'client') return [dimension, { entity: entity!.is.entity }];
      if (entity !== undefined) return [dimension, { equals: entity.is.entity }];
      return [dimension, { equals: dimension === 'source' ? group.source!.id : value }];
    }),
  ) as Filter;
}
