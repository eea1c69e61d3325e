import { interleave, requestOf, rowOf, type Load } from './introspection-load.js';
import { opaqueToken, startService } from './introspection-service.js';
import type { Row } from './report.js';

const ROUNDS = 10;
const TOKENS_A_ROUND = 3_000;
const CONNECTIONS = 64;
const MIN_ACTIVE_BYTES = 250;
const MAX_ROUND_MS = 30_000;

/** Opaque tokens that this node was never asked about: read from PostgreSQL, on the same machine. */
export async function run(): Promise<readonly Row[]> {
  const service = await startService({ opaque: (ROUNDS + 1) * TOKENS_A_ROUND, jwts: {} });
  try {
    const loadOf = (port: number): Load => {
      let at = 0;
      const next = (): Buffer => requestOf({ path: '/introspect', authorization: service.callers.honest, token: opaqueToken(at++) });
      return { port, connections: CONNECTIONS, ms: MAX_ROUND_MS, max: TOKENS_A_ROUND, minBytes: MIN_ACTIVE_BYTES, next };
    };
    const asked = await interleave(service.child, loadOf(service.port), loadOf(service.floorPort), ROUNDS);
    const note = `each token asked about once, lineage of two events; ${CONNECTIONS} connections; floor: bare node:http in the same process`;
    return [rowOf('introspection.cold', asked, note)];
  } finally {
    await service.stop();
  }
}
