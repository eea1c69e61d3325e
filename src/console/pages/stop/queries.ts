import { keepPreviousData } from '@tanstack/react-query';
import { api, type Answer } from '../../api/client.js';
import type { Selector } from '../../api/rules.js';
import type { Terms } from '../../display/rule/words.js';

export type Preview = Answer<'Foreseen'>;
export type Found = Answer<'SearchItem'>;

const SUGGESTED = 8;

/** An order without its reason. Its members are those of the API. */
export const termsBody = ({ selector, effect, until, resume }: Terms) => ({
  selector,
  effect,
  ...(until === undefined ? {} : { until }),
  ...(resume === true ? { resume } : {}),
});

/** Counts what the rule would stop. It orders nothing. */
export function usePreview(terms: Terms) {
  return api.useQuery('post', '/v1/revocations/preview', { body: termsBody(terms) });
}

/** Names that begin with or hold the text. */
export function useSuggestions(q: string) {
  return api.useQuery(
    'get',
    '/v1/search',
    { params: { query: { q, limit: SUGGESTED } } },
    { enabled: q.length > 1, placeholderData: keepPreviousData, retry: false },
  );
}

/** The selector of what the search found; undefined if no rule selects by it. */
export function selectorOfFound({ kind, name, iss, tenant }: Found): Selector | undefined {
  switch (kind) {
    case 'user':
      return { user: { iss: iss!, sub: name, ...(tenant === undefined ? {} : { tenant }) } };
    case 'client':
      return { client: { iss: iss!, client_id: name } };
    case 'agent':
      return { agent: { iss: iss!, id: name } };
    case 'agent_type':
      return { agent_type: name };
    case 'resource':
      return { resource: name };
    default:
      return undefined;
  }
}
