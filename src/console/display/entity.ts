import type { Answer } from '../api/client.js';

/** Somebody or something that events name. */
export type Entity =
  | { readonly kind: 'user'; readonly is: Answer<'User'> }
  | { readonly kind: 'client'; readonly is: Answer<'Client'> }
  | { readonly kind: 'agent'; readonly is: Answer<'Agent'> }
  | { readonly kind: 'resource'; readonly is: Answer<'Resource'> };

export function nameOf(entity: Entity): string {
  switch (entity.kind) {
    case 'user':
      return entity.is.display_name ?? entity.is.sub;
    case 'client':
      return entity.is.display_name ?? entity.is.client_id;
    case 'agent':
      return entity.is.display_name ?? entity.is.id;
    case 'resource':
      return entity.is.uri;
  }
}

/** The name where there is little room: resources begin alike. */
export const shortNameOf = (entity: Entity): string =>
  entity.kind === 'resource' ? entity.is.uri.replace(/^https:\/\//, '') : nameOf(entity);
