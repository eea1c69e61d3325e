/** Reasons why a recorded token is not active, for people who run a source. A client that asks about the token never gets the reason. */
export const INACTIVE_REASONS = {
  expired: 'it has expired',
  'not-yet-valid':
    'its `iat` or `nbf` lies ahead: the clock of its issuer is ahead, or `skew` of the profile is too small',
  'lifetime-too-long': 'it lives longer than `max_token_lifetime` of the profile: issue shorter tokens, or raise it',
  unverified: 'its text does not verify as the profile of the source demands',
  mismatch: 'its text states something else than the event',
  conflict: 'two events contradict each other about it',
  'source-refused': 'its source is disabled, or no longer speaks for its issuer',
  'lineage-missing':
    'no `id_jag` is stated and `lineage` of the profile demands one: send it, or demand none of tokens that come from no ID-JAG',
  'lineage-incomplete': 'an event that its lineage names has not come',
  'lineage-broken': 'its lineage is a cycle, or has too many hops',
  'lineage-contradictory': 'its `id_jag` is not what the identity provider issued to this server',
  'lineage-too-old': 'its lineage goes back more than 30 days',
  'too-many-values': 'its lineage names more users, clients or resources than rules can follow',
  'stopped-by-rule': 'a rule stops it',
} as const;

export type InactiveReason = keyof typeof INACTIVE_REASONS;

export const isInactiveReason = (name: string): name is InactiveReason => Object.hasOwn(INACTIVE_REASONS, name);

/** Texts for the member that differs, for reasons that only a token's text shows. */
const MEMBERS: Readonly<Record<string, string>> = {
  typ: 'the profile does not accept its header `typ`: choose the preset of the product, or set `typ` of the profile',
  signature: 'no key of the source verifies its signature: the key is missing, or the text is forged',
};

/** Explains a reason to people. `member` is the member that differs. */
export function describeInactive(reason: InactiveReason, member: string | null): string {
  if (member === null) return INACTIVE_REASONS[reason];
  return reason === 'mismatch'
    ? `its text states another \`${member}\` than the event: send what the token says, or let the profile read another claim`
    : (MEMBERS[member] ?? INACTIVE_REASONS[reason]);
}
