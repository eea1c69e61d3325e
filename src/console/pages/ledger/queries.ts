import { api, type Answer } from '../../api/client.js';
import { every } from '../../api/moment.js';
import { stateOf } from './state.js';

const AGAIN_MS = 5_000;

export type Ledger = Answer<'LedgerAnswer'>;

/** How far the ledger is published and witnessed now. No event tells of a checkpoint, so it is asked again and again. */
export const useLedger = () =>
  api.useQuery('get', '/v1/ledger', {}, { refetchInterval: every(AGAIN_MS), select: stateOf });
