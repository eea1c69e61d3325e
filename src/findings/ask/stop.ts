import type { Stop } from '../detection.js';
import type { FindingItem } from './answers.js';

type Named = Pick<FindingItem, 'id' | 'user' | 'client' | 'agent' | 'resource'>;
type Facts = Readonly<Record<string, unknown>> | null;

/** Builds the rule that stops what was found; null if the finding names nobody. */
export function stopOf(stop: Stop, finding: Named, facts: Facts): FindingItem['stop'] {
  for (const members of stop) {
    const values = members.map((member) => [member, valueOf(member, finding, facts)] as const);
    if (values.some(([, value]) => value === undefined)) continue;
    const selector = Object.fromEntries(values);
    return {
      selector,
      preview: { method: 'POST', path: '/v1/revocations/preview' },
      command: `rescind revoke --selector ${quoted(JSON.stringify(selector))} --reason ${quoted(`finding ${finding.id}`)}`,
    };
  }
  return null;
}

function valueOf(member: Stop[number][number], { user, client, agent, resource }: Named, facts: Facts): unknown {
  switch (member) {
    case 'token':
      return facts === null ? undefined : tokenOf(facts);
    case 'user':
      return user === null
        ? undefined
        : { iss: user.iss, ...(user.tenant ? { tenant: user.tenant } : {}), sub: user.sub };
    case 'client':
      return client === null ? undefined : { iss: client.iss, client_id: client.client_id };
    case 'agent':
      return agent === null ? undefined : { iss: agent.iss, id: agent.id };
    case 'resource':
      return resource?.uri;
  }
}

/** Names a token as a selector does. */
function tokenOf({ iss, jti, sha256, signing_input_sha256: signed }: NonNullable<Facts>): object | undefined {
  if (typeof jti === 'string') return { iss, jti };
  if (typeof sha256 === 'string') return { sha256 };
  return typeof signed === 'string' ? { signing_input_sha256: signed } : undefined;
}

/** Quotes a word for a shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
