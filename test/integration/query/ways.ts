import { namesOf, type Planted } from './two-tenants.js';

/** Things of the tenant `acme` that a path may name, by the path; a new kind of path has to be said here. */
export function pathsFor(
  { token, rule, quarantined, sources, entities, findings, view }: Planted,
  path: string,
): readonly string[] {
  const [kind] = path.split('/').slice(2);
  const ids: Readonly<Record<string, readonly string[]>> = {
    tokens: [token],
    entries: ['0', '999999'],
    quarantine: [quarantined],
    sources: [...sources, namesOf('acme').idpSource],
    callers: ['audit-of-acme', 'first-admin-of-acme'],
    tenants: ['acme'],
    channels: ['channel-of-acme'],
    directory: [
      namesOf('acme').user,
      namesOf('acme').client,
      namesOf('acme').agent,
      encodeURIComponent(namesOf('acme').api),
    ],
    revocations: [rule],
    rules: [rule],
    findings,
    views: [view],
    erasures: [view],
    // The same in every tenant.
    detections: ['bulk-export'],
    partitions: ['rescind.events.idp-of-acme'],
    entities,
    users: entities,
    clients: entities,
    resources: entities,
    agents: entities,
    connections: entities,
  };
  if (!path.includes('{')) return [path];
  const named = ids[kind!];
  if (!named) throw new Error(`say what a path like ${path} may name`);
  return named.map((id) => path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => FIXED[name] ?? encodeURIComponent(id)));
}

/** Path parameters that do not name the subject of the path. */
const FIXED: Readonly<Record<string, string>> = { secretId: '0', partition: '0' };

/** Parameters that a question requires. */
export function neededFor({ rule }: Planted, path: string): string {
  const { as, jti, client, api, user, idp } = namesOf('acme');
  const needed: Readonly<Record<string, string>> = {
    '/v1/access/counts': 'by=day&',
    '/v1/changes': 'since=2026-11-20T00:00:00Z&',
    '/v1/tokens': `iss=${as}&jti=${jti}&`,
    '/v1/search': `q=${user}&`,
    '/v1/timeline': `user_iss=${idp}&user_sub=${user}&`,
    '/v1/blast-radius': `client_iss=${as}&client_id=${client}&`,
    '/v1/reach': `resource=${api}&`,
    '/v1/reports/access-review': `user_iss=${idp}&user_sub=${user}&`,
    '/v1/reports/incident': `rule=${rule}&`,
  };
  return needed[path] ?? '';
}
