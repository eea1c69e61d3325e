/** Media types that come in one mode alone. JSON without more may be one event or several. */
const MODES: Readonly<Record<string, string>> = {
  'application/cloudevents+json': 'structured',
  'application/cloudevents-batch+json': 'batch',
  'application/rescind-batch': 'batch',
  'application/x-ndjson': 'ndjson',
  'application/secevent+jwt': 'set',
};
const JSON_MODES = ['structured', 'batch'];

/** Whether a payload with these attributes, which its entry commits to, arrives in a mode. */
export function isModeOf(
  mode: string,
  isOwn: boolean,
  attributes: readonly (readonly [name: string, value: Buffer])[],
): boolean {
  if (isOwn) return mode === 'own';
  if (attributes.some(([name]) => name.startsWith('ce_'))) return mode === 'binary';
  const contentType = attributes.find(([name]) => name === 'content-type')?.[1].toString('latin1') ?? '';
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  return mediaType in MODES ? mode === MODES[mediaType] : JSON_MODES.includes(mode);
}
