import type { SourceCheckAnswer } from './answers.js';
import { spanOf } from './findings.js';

type Checked = Omit<SourceCheckAnswer, 'next_steps'>;
type Step = SourceCheckAnswer['next_steps'][number];

/**
 * Help for codes of refusals that one sentence can solve. For other codes, the detail of the record says what to do.
 */
const HELP: Readonly<Record<string, string>> = {
  'unknown-type': 'the CloudEvents `type` must be dev.rescind.<name>.v1',
  'type-not-allowed':
    'the source is not registered for this type: register it (rescind source update), or do not send it',
  'wrong-issuer': '`iss` is none of the issuers that the source is registered for',
  'wrong-resource': '`aud` or `resource` is none of the resources that the source is registered for',
  'time-in-future': 'the clock of the sender is ahead',
  'secret-in-event': 'the event holds a token: send its jti or its SHA-256 instead',
  'signature-required':
    'the source is registered to sign its events: give its transport a signer, or set `signature` to optional',
  'unknown-key':
    'register the public key of the signer under its `kid` (rescind source update --jwks), with its `alg` in the profile',
  'wrong-audience': 'sign for the `audience` that `rescind source show` prints',
  conflict: 'another event had the same id: give every event an id of its own',
};

/** Seconds during which a reason why tokens are not active is a next step; later it may have been repaired. */
const FRESH_S = 3_600;

/**
 * Says whether the last thing that came was refused. Compares milliseconds, so that events and refusals of one second
 * are told apart.
 */
export const wasLast = (
  refusal: { readonly at_ms: string } | undefined,
  event: { readonly arrival: string } | undefined,
): boolean => refusal !== undefined && (event === undefined || Number(refusal.at_ms) >= Number(event.arrival));

const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000);

/**
 * Lists what the team that connects a source should do next, the most urgent first. If there is nothing to do, one line
 * says so.
 */
export function nextSteps(
  checked: Checked,
  registered: { readonly topic: string; readonly uri: string },
  now: number,
  { lastWasRefused }: { readonly lastWasRefused: boolean },
): Step[] {
  const { events, refused, inactive, types, keys, partitions, clock, disabled } = checked;
  const steps: Step[] = [];
  const step = (code: string, says: string): number => steps.push({ code, says });

  if (disabled)
    step(
      'disabled',
      'The source is disabled: its events are not accepted. An administrator enables it with `rescind source update --enable`.',
    );
  for (const { topic, partition, stopped } of partitions ?? []) {
    if (stopped !== null)
      step(
        'partition-stopped',
        `Partition ${partition} of ${topic} is stopped (${stopped}). An administrator resumes it with \`rescind partition resume\`.`,
      );
  }
  const lag = (partitions ?? []).reduce((sum, one) => sum + Number(one.lag ?? 0), 0);
  if (lag > 0)
    step(
      'lag',
      `${lag} records of the topic are not stored yet. If this number does not fall, look at the log of the service.`,
    );
  const newest = refused[0];
  if (lastWasRefused && newest !== undefined) {
    const help = HELP[newest.code];
    step(
      'refused',
      `The last thing that came was refused, ${newest.code}: ${newest.detail}${help === undefined ? '' : ` (${help})`}. Correct it and send it again.`,
    );
  }
  if (events.length === 0 && !lastWasRefused) {
    step(
      'send-first-event',
      `Nothing has come. Write to the topic ${registered.topic}, or POST /events with a caller whose role \`emit\` names the source. \`source\` of each event is ${registered.uri}, letter by letter: an event that names another is refused (unknown-source) and does not appear here.`,
    );
  }
  for (const { reason, member, says, count, token } of inactive.filter(({ last }) => now - secondsOf(last) < FRESH_S)) {
    const which = member === null ? reason : `${reason}, ${member}`;
    step(
      'tokens-inactive',
      `Recorded tokens are not active, ${which} (asked ${count === 1 ? 'once' : `${count} times`}): ${says}. Look at one with GET /v1/tokens/${token}.`,
    );
  }
  if (
    keys.from === 'none' &&
    types.some(({ type, registered: is }) => is && (type === 'token.issued' || type === 'id-jag.issued'))
  ) {
    step(
      'register-keys',
      'No keys are registered: JWT tokens of this source cannot be verified. Opaque tokens need none. Add `jwks` or `jwks_uri`.',
    );
  }
  if (keys.from !== 'none' && keys.usable === 0) {
    step(
      'keys-unusable',
      'Keys are registered, and none can be used now: is `jwks_uri` reachable over https, and does it hold a key of an allowed algorithm?',
    );
  }
  if (clock?.verdict === 'ahead')
    step(
      'clock-ahead',
      `The clock of the sender is ahead by ${spanOf(-clock.delay.least / 1000)} or more: correct it (NTP).`,
    );
  if (clock?.verdict === 'behind-or-late')
    step(
      'clock-behind-or-late',
      'No event comes soon after its own time: the clock of the sender is behind, or it holds events back.',
    );
  const missing = types.filter((type) => type.registered && type.events === 0).map(({ type }) => type);
  if (events.length > 0 && missing.length > 0)
    step('never-sent', `Registered for and not sent yet: ${missing.join(', ')}.`);
  if (steps.length === 0)
    step(
      'nothing-to-do',
      `Events arrive and are stored; the last came ${spanOf(Math.max(0, now - secondsOf(events[0]!.arrival)))} ago.`,
    );
  return steps;
}
