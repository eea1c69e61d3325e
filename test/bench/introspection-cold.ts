import { interleave, opaqueToken, requestOf, rowsOf, type Load } from './introspection-load.js';
import { startPeer } from './introspection-peer.js';
import { startService } from './introspection-service.js';
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
  const service = await startService({ opaque, jwts: {}, beside });
  const peer = await startPeer({ tokens: opaque, url: service.databaseUrl });
  try {
    const of = { connections: CONNECTIONS, ms: MAX_ROUND_MS, max: TOKENS_A_ROUND, minBytes: MIN_ACTIVE_BYTES };
    const loadOf = (port: number): Load => {
      let at = 0;
      return {
        ...of,
        port,
        next: () => requestOf({ path: '/introspect', authorization: service.callers.honest, token: opaqueToken(at++) }),
      };
    };
    const loads = { own: loadOf(service.port), floor: loadOf(service.floorPort), peer: peer.load(of) };
    const recorded = (opaque + beside).toLocaleString('en');
    const note = `each token asked about once, of ${recorded} recorded, lineage of two events; ${CONNECTIONS} connections; floor: bare node:http in the same process`;
    return await rowsOf(service.child, name, await interleave(service.child, loads, ROUNDS), note);
  } finally {
    peer.child.kill();
    await service.stop();
  }
}
