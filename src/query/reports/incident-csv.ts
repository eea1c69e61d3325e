import type { IncidentReport } from './answers.js';
import { authorName } from '../../contracts/index.js';
import { csvLine } from '../../platform/csv/index.js';

const COLUMNS = ['section', 'at', 'index', 'what', 'outcome', 'count', 'records', 'bytes', 'detail'];

/** Writes one line a fact, its kind first. A table for each kind would need several files. */
export function incidentCsv({ rule, hit, before, after, confirmations }: IncidentReport): string {
  const atLeast = (is: true | undefined): string => (is ? 'at least' : '');
  const volumes = (section: string, of: typeof before): string =>
    csvLine([section, of.last, null, 'allowed', 'allowed', of.allowed, of.records, of.bytes, atLeast(of.at_least)]) +
    csvLine([section, null, null, 'denied', 'denied', of.denied, null, null, atLeast(of.at_least)]);
  return [
    csvLine(COLUMNS),
    csvLine([
      'rule',
      rule.ordered_at,
      rule.entry,
      rule.id,
      rule.effect,
      null,
      null,
      null,
      JSON.stringify(rule.selector),
    ]),
    csvLine(['reason', rule.recorded_at, rule.entry, authorName(rule.author), null, null, null, null, rule.reason]),
    ...(rule.ended
      ? [csvLine(['end', rule.ended.at, rule.ended.entry, rule.id, rule.ended.by, null, null, null, null])]
      : []),
    ...(rule.lifted
      ? [
          csvLine([
            'lift',
            rule.lifted.at,
            rule.lifted.entry,
            rule.id,
            rule.lifted.resume ? 'resumed' : 'stays revoked',
            null,
            null,
            null,
            null,
          ]),
        ]
      : []),
    csvLine(['hit', null, null, 'live tokens', null, hit.live_tokens, null, null, atLeast(hit.at_least)]),
    ...hit.newest.map((token) =>
      csvLine([
        'token',
        token.issued_at,
        token.index,
        token.id,
        null,
        1,
        null,
        null,
        `${token.user?.sub ?? ''} ${token.client.client_id}`.trim(),
      ]),
    ),
    volumes('before', before),
    volumes('after', after),
    ...after.newest.map((use) =>
      csvLine([
        'use after',
        use.at,
        use.index,
        use.token,
        use.outcome,
        use.count,
        null,
        null,
        `${use.operation ?? ''} ${use.resource?.uri ?? ''}`.trim(),
      ]),
    ),
    ...confirmations.nodes.map((node) =>
      csvLine([
        'confirmation',
        node.at,
        null,
        node.node,
        node.outcome,
        node.guards,
        null,
        null,
        'count: guards it vouched for',
      ]),
    ),
  ].join('');
}
