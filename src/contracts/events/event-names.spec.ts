import { describe, expect, it } from '@jest/globals';
import { ACCESS_EVENTS } from './access-events.js';
import { PARTIES } from './declaration.js';
import {
  EVENT_NAMES,
  EVENTS,
  eventsBoundBy,
  eventsNaming,
  eventsSaidBy,
  OWN_EVENT_NAMES,
  ruleEffectOf,
  SOURCE_EVENT_NAMES,
} from './event-names.js';
import { ID_JAG_EVENTS } from './id-jag-events.js';
import { LIFECYCLE_EVENTS } from './lifecycle-events.js';
import { OWN_EVENTS } from './own-events.js';
import { TOKEN_EVENTS } from './token-events.js';

describe('the declarations of events', () => {
  it('name each type once', () => {
    const subjects = [ID_JAG_EVENTS, TOKEN_EVENTS, ACCESS_EVENTS, LIFECYCLE_EVENTS, OWN_EVENTS];
    expect(subjects.flatMap((subject) => Object.keys(subject))).toEqual(EVENT_NAMES);
    expect([...SOURCE_EVENT_NAMES, ...OWN_EVENT_NAMES].toSorted()).toEqual(EVENT_NAMES.toSorted());
  });

  it('say of each type of a source which party says it', () => {
    expect(PARTIES.flatMap((party) => eventsSaidBy(party)).toSorted()).toEqual(SOURCE_EVENT_NAMES.toSorted());
    expect(eventsSaidBy()).toEqual([]);
    expect(eventsSaidBy('resource-server')).toEqual(['access.allowed', 'access.denied', 'access.summary']);
  });

  // A source of an event without a bound could speak for anybody.
  it.each(SOURCE_EVENT_NAMES)('bind %s to the issuers or resources that its data names', (name) => {
    const { bounds, data } = EVENTS[name];
    expect(bounds.includes('issuers')).toBe('iss' in data.properties);
    expect(bounds.length).toBeGreaterThan(0);
  });

  it('bind every event that does something to rules to an issuer, because its rule names one', () => {
    const rules = SOURCE_EVENT_NAMES.filter((name) => ruleEffectOf(name) !== undefined);
    expect(eventsBoundBy('issuers')).toEqual(expect.arrayContaining(rules));
    expect(eventsBoundBy('resources')).toEqual(['token.issued', 'access.allowed', 'access.denied', 'access.summary']);
  });

  it('say of each rule what it does and what it names', () => {
    expect(eventsNaming('user', 'client')).toEqual([
      'user.disabled',
      'client.disabled',
      'user.enabled',
      'client.enabled',
    ]);
    expect(eventsNaming('token').map((name) => ruleEffectOf(name).does)).toEqual(['revoke']);
    expect(ruleEffectOf('token.issued')).toBeUndefined();
  });
});
