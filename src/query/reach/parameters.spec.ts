import { describe, expect, it } from '@jest/globals';
import { RescindError, SELECTOR_FORMS, SELECTOR_MEMBERS } from '../../contracts/index.js';
import { parseSelector } from '../../rules/index.js';
import { readParameters } from '../ask/parameters.js';
import { BLAST_DOCS, BLAST_PARAMETERS, readStart } from './parameters.js';

const start = (query: object) => readStart(readParameters(query, BLAST_PARAMETERS));
const codeOf = (query: object): string | undefined => {
  try {
    start(query);
    return undefined;
  } catch (error) {
    return error instanceof RescindError ? error.code : String(error);
  }
};
const DIGEST = 'A'.repeat(43);
const valueOf = (name: string): string => (name.endsWith('sha256') ? DIGEST : 'x');
/** Members that a start names by an id or a key of its own, as other answers give them. */
const BY_REFERENCE: readonly string[] = ['token', 'user', 'client', 'agent', 'resource'];

describe('the parameters of a blast radius', () => {
  it.each(SELECTOR_MEMBERS.filter((member) => !BY_REFERENCE.includes(member)))(
    'name a %s in each form that a selector gives it',
    (member) => {
      const forms = SELECTOR_FORMS[member];
      if (forms === undefined) {
        expect(start({ [member]: 'x' })).toEqual({ selector: parseSelector({ [member]: 'x' }) });
        return;
      }
      for (const form of forms) {
        const value = Object.fromEntries(form.map(([name]) => [name, valueOf(name)]));
        const query = Object.fromEntries(form.map(([name]) => [`${member}_${name}`, valueOf(name)]));
        expect(start(query)).toEqual({ selector: parseSelector({ [member]: value }) });
      }
    },
  );

  it.each(SELECTOR_MEMBERS)('are documented for %s', (member) => {
    expect(BLAST_PARAMETERS.some((name) => name === member || name.startsWith(`${member}_`))).toBe(true);
  });

  it.each<[string, object, string]>([
    ['nothing', {}, 'inconsistent-request'],
    ['two things', { issuer: 'x', agent_type: 'y' }, 'inconsistent-request'],
    ['a session without its issuer', { session_sid: 's' }, 'inconsistent-request'],
    ['an ID-JAG in two forms', { id_jag_jti: 'j', id_jag_sha256: DIGEST }, 'inconsistent-request'],
    ['an ID-JAG in both forms', { id_jag_iss: 'i', id_jag_jti: 'j', id_jag_sha256: DIGEST }, 'inconsistent-request'],
    ['a digest that is none', { id_jag_sha256: 'short' }, 'invalid-request'],
  ])('refuse %s', (_, query, code) => {
    expect(codeOf(query)).toBe(code);
  });

  it('say in OpenAPI what they need and what they replace', () => {
    const described = Object.fromEntries(BLAST_DOCS.map(({ name, description }) => [name, description]));
    expect(described).toMatchObject({
      session_iss: 'issuer of the session; needs `session_sid`',
      session_sid: '`sid` of the session',
      id_jag_iss: 'issuer of the ID-JAG; needs `id_jag_jti`',
      id_jag_jti: '`jti` of the ID-JAG',
      id_jag_sha256: 'SHA-256 of the ID-JAG, base64url; replaces `id_jag_iss` and `id_jag_jti`',
      agent_type: 'type of agent, as an event stated it',
    });
    expect(new Set(BLAST_PARAMETERS).size).toBe(BLAST_PARAMETERS.length);
  });
});
