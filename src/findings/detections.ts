import type { Detection } from './detection.js';
import { tokenFromTwoNetworks } from './detections/token-from-two-networks.js';
import { useAfterRule } from './detections/use-after-rule.js';

/** Every detection, in the order of the catalogue. */
export const DETECTIONS: readonly Detection[] = [useAfterRule, tokenFromTwoNetworks];

export const detectionOf = (kind: string): Detection | undefined => DETECTIONS.find((one) => one.kind === kind);
