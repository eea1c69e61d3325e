import { decodeJwt } from 'jose';
import { digestOf } from '../emit/index.js';
import { RescindRefused, type RescindAdmin } from './rescind-admin.js';

/**
 * Resolves to true if Rescind's ledger has the token, else to undefined. The token's event is durable before anybody gets the token, but
 * through Kafka it may take longer than introspection waits. The token itself is not sent.
 */
export async function isRecorded(analyst: RescindAdmin, accessToken: string): Promise<true | undefined> {
  try {
    await analyst.get(`/v1/tokens?${new URLSearchParams(nameOf(accessToken))}`);
    return true;
  } catch (error) {
    if (error instanceof RescindRefused && error.code === 'not-found') return undefined;
    throw error;
  }
}

function nameOf(accessToken: string): Record<string, string> {
  if (accessToken.split('.').length !== 3) return { sha256: digestOf(accessToken) };
  const { iss, jti } = decodeJwt(accessToken);
  return { iss: iss!, jti: jti! };
}
