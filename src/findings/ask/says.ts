import type { Detection } from '../detection.js';
import { detectionOf } from '../detections.js';
import type { FindingItem } from './answers.js';

type Named = Pick<FindingItem, 'count' | 'user' | 'client' | 'resource' | 'source' | 'details'>;

/** Says what was found. */
export const saysOf = (detection: Detection, { count, user, client, resource, source, details }: Named): string =>
  detection.says({
    count,
    user: user?.display_name ?? user?.sub ?? 'an unknown user',
    client: client?.display_name ?? client?.client_id ?? 'an unknown client',
    resource: resource?.uri ?? 'an unknown resource',
    source: source?.name ?? 'a source',
    details,
  });

/** Shows a finding without the networks and addresses of clients that it names. */
export function withoutNetworks<F extends Named & Pick<FindingItem, 'kind' | 'says'>>(finding: F): F {
  const detection = detectionOf(finding.kind)!;
  const words = Object.entries(detection.networks ?? {}).filter(([name]) => Object.hasOwn(finding.details, name));
  if (words.length === 0) return finding;
  const { details } = finding;
  return {
    ...finding,
    says: saysOf(detection, { ...finding, details: { ...details, ...Object.fromEntries(words) } }),
    details: { ...details, ...Object.fromEntries(words.map(([name]) => [name, null])) },
  };
}
