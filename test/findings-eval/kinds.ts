/** Kinds that `GET /v1/findings` may answer with. The catalogue is public; how each kind is detected is not known here. */
export const KINDS = [
  'use-after-rule',
  'issued-while-disabled',
  'token-from-two-networks',
  'token-of-another-client',
  'bulk-export',
  'scopes-grew',
  'use-after-silence',
  'new-at-sensitive-resource',
  'refusals',
  'second-hop',
  'id-jag-replayed',
  'source-trouble',
  'lineage-trouble',
  'long-lived-token',
  'idle-rule',
  'administration',
] as const;

export type Kind = (typeof KINDS)[number];

/** The goal: this share of each kind is found, with so many false findings a day at most. */
export const GOAL = { share: 0.95, falseADay: 2 } as const;
