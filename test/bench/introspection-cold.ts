import { interleave, requestOf, rowsOf, type Load } from './introspection-load.js';
import { PEER_AUTHORIZATION, PEER_PATH } from './introspection-peer.js';
import { opaqueToken, startService } from './introspection-service.js';
import type { Row } from './report.js';

const ROUNDS = 10;
const TOKENS_A_ROUND = 3_000;
const CONNECTIONS = 64;
const MIN_ACTIVE_BYTES = 200;
const MAX_ROUND_MS = 30_000;
const A_MILLION = 1_000_000;

/** Opaque tokens that this node was never asked about: read from PostgreSQL, on the same machine. */
export const run = (): Promise<readonly Row[]> => measure('introspection.cold', 0);

/** Likewise, anywhere among a million of them. */
export const runMillion = (): Promise<readonly Row[]> => measure('introspection.cold.million', A_MILLION);

async function measure(name: string, beside: number): Promise<readonly Row[]> {
  const opaque = (ROUNDS + 1) * TOKENS_A_ROUND;
  const service = await startService({ opaque, jwts: {}, peer: true, beside });
  try {
    const loadOf = (port: number, path: string, authorization: string): Load => {
      let at = 0;
      const next = (): Buffer => requestOf({ path, authorization, token: opaqueToken(at++) });
      return { port, connections: CONNECTIONS, ms: MAX_ROUND_MS, max: TOKENS_A_ROUND, minBytes: MIN_ACTIVE_BYTES, next };
    };
    const loads = {
      own: loadOf(service.port, '/introspect', service.callers.honest),
      floor: loadOf(service.floorPort, '/introspect', service.callers.honest),
      peer: loadOf(service.peerPort, PEER_PATH, PEER_AUTHORIZATION),
    };
    const recorded = (opaque + beside).toLocaleString('en');
    const note = `each token asked about once, of ${recorded} recorded, lineage of two events; ${CONNECTIONS} connections; floor: bare node:http in the same process`;
    return await rowsOf(service.child, name, await interleave(service.child, loads, ROUNDS), note);
  } finally {
    await service.stop();
  }
}
