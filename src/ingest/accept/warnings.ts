import type { IntakeWarning, TokenIssued } from '../../contracts/index.js';
import type { Source } from '../../control/index.js';
import type { Accepted } from './accept.js';

/**
 * Says why the token of an event cannot be active under its source's current registration. The event is stored anyway, because it may be
 * true: the profile, or the server that made the token, may be wrong. `rescind source check` finds reasons that only a token's text shows.
 */
export function warningsOf({
  name,
  event,
  source,
}: Pick<Accepted, 'name' | 'event' | 'source'>): readonly IntakeWarning[] {
  if (name !== 'token.issued') return [];
  const data = event.data as TokenIssued;
  return [...timeWarnings(data, source), ...lineageWarnings(data, source)];
}

function timeWarnings({ kind, iat, exp }: TokenIssued, { profile }: Source): IntakeWarning[] {
  if (exp === undefined) return [];
  if (exp <= iat) return [{ code: 'expired', detail: '`exp` is not later than `iat`: the token is never active' }];
  const lifetime = exp - iat;
  if (kind === 'refresh' || lifetime <= profile.max_token_lifetime) return [];
  return [
    {
      code: 'lifetime-too-long',
      detail: `the token lives ${lifetime} s and the source allows ${profile.max_token_lifetime} s: it is never active. Issue shorter tokens, or raise \`max_token_lifetime\` of the profile`,
    },
  ];
}

function lineageWarnings({ id_jag: idJag, parent }: TokenIssued, { profile }: Source): IntakeWarning[] {
  // The parent may name the ID-JAG.
  if (idJag !== undefined || parent !== undefined || profile.lineage.other === 'none') return [];
  return [
    {
      code: 'lineage-missing',
      detail: `the event has no \`id_jag\` and the source asks for it (lineage ${profile.lineage.other}): the token is never active. Send \`id_jag\`, or set \`lineage\` of the profile to {"other": "none"} if it came from no ID-JAG`,
    },
  ];
}
