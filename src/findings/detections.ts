import type { Detection } from './detection.js';
import { administration } from './detections/administration.js';
import { bulkExport } from './detections/bulk-export.js';
import { idJagReplayed } from './detections/id-jag-replayed.js';
import { idleRule } from './detections/idle-rule.js';
import { issuedWhileDisabled } from './detections/issued-while-disabled.js';
import { lineageTrouble } from './detections/lineage-trouble.js';
import { longLivedToken } from './detections/long-lived-token.js';
import { newAtSensitiveResource } from './detections/new-at-sensitive-resource.js';
import { refusals } from './detections/refusals.js';
import { scopesGrew } from './detections/scopes-grew.js';
import { secondHop } from './detections/second-hop.js';
import { sourceTrouble } from './detections/source-trouble.js';
import { tokenFromTwoNetworks } from './detections/token-from-two-networks.js';
import { tokenOfAnotherClient } from './detections/token-of-another-client.js';
import { useAfterRule } from './detections/use-after-rule.js';
import { useAfterSilence } from './detections/use-after-silence.js';

/** Every detection, in the order of the catalogue. */
export const DETECTIONS: readonly Detection[] = [
  useAfterRule,
  issuedWhileDisabled,
  tokenFromTwoNetworks,
  tokenOfAnotherClient,
  bulkExport,
  scopesGrew,
  useAfterSilence,
  newAtSensitiveResource,
  refusals,
  secondHop,
  idJagReplayed,
  sourceTrouble,
  lineageTrouble,
  longLivedToken,
  idleRule,
  administration,
];

export const detectionOf = (kind: string): Detection | undefined => DETECTIONS.find((one) => one.kind === kind);
