import type { Selector } from '../../api/rules.js';
import type { Entity } from '../entity.js';

/** The selector of a rule that names the entity. */
export function selectorOf({ kind, is }: Entity): Selector {
  switch (kind) {
    case 'user':
      return { user: { iss: is.iss, ...(is.tenant === undefined ? {} : { tenant: is.tenant }), sub: is.sub } };
    case 'client':
      return { client: { iss: is.iss, client_id: is.client_id } };
    case 'agent':
      return { agent: { iss: is.iss, id: is.id } };
    case 'resource':
      return { resource: is.uri };
  }
}
