import { SELECTOR_FORMS, SELECTOR_MEMBERS, type SelectorForm, type SelectorMember } from '../../contracts/index.js';
import type { Selector } from '../../rules/index.js';
import type { AskedStart } from '../../selection/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { parameterDocs, type ParameterDoc } from '../ask/parameter-docs.js';
import {
  DIGEST,
  FILTER_PARAMETERS,
  inconsistent,
  needBeside,
  readDigest,
  readEntity,
  readFlag,
  readTokenId,
  TEXT,
  type Parameters,
} from '../ask/parameters.js';

const BESIDE = ['since', 'preview', 'as_of'] as const;

/** Descriptions of members that are one identifier and need more words than their name. */
const DESCRIPTIONS: Partial<Record<SelectorMember, string>> = {
  agent_type: 'type of agent, as an event stated it',
  issuer: 'issuer of tokens, or of the ID-JAGs that they came from',
};

const isFilterKind = (member: SelectorMember): member is FilterKind => Object.hasOwn(FILTER_PARAMETERS, member);
const isDigest = (name: string): boolean => name.endsWith('sha256');
const wordOf = (member: SelectorMember): string => (member === 'id_jag' ? 'ID-JAG' : member.replaceAll('_', ' '));
const parameterOf = (member: SelectorMember, name: string): string => `${member}_${name}`;
const parametersOf = (member: SelectorMember, form: SelectorForm): readonly string[] =>
  form.map(([name]) => parameterOf(member, name));
const quoted = (parameters: readonly string[]): string => parameters.map((name) => `\`${name}\``).join(' and ');

/** Describes the parameters of a member: one for an identifier, else one for each name that its forms have. */
function memberDocs(member: SelectorMember): readonly ParameterDoc[] {
  const forms = SELECTOR_FORMS[member];
  const word = wordOf(member);
  if (forms === undefined)
    return [
      { name: member, required: false, schema: TEXT, description: DESCRIPTIONS[member] ?? `name of the ${word}` },
    ];
  const docs = forms.flatMap((form, nth) =>
    form.map(([name]): ParameterDoc => {
      const others = form.filter(([other, need]) => other !== name && need === 'required');
      const about = isDigest(name)
        ? `SHA-256 of the ${word}, base64url`
        : name === 'iss'
          ? `issuer of the ${word}`
          : `\`${name}\` of the ${word}`;
      const needs = name === 'iss' ? `; needs ${quoted(parametersOf(member, others))}` : '';
      const replaces = nth > 0 ? `; replaces ${quoted(parametersOf(member, forms[0]!))}` : '';
      return {
        name: parameterOf(member, name),
        required: false,
        schema: isDigest(name) ? DIGEST : TEXT,
        description: about + needs + replaces,
      };
    }),
  );
  return docs.filter(({ name }, nth) => docs.findIndex((doc) => doc.name === name) === nth);
}

/**
 * The parameters that name each member of a selector as the start. A user, client, agent or resource may also be named by its entity id, and
 * a token is named by its key. The parameters of every other member follow from the forms that a selector gives it.
 */
const START_DOCS = new Map<SelectorMember, readonly ParameterDoc[]>(
  SELECTOR_MEMBERS.map((member) => {
    if (isFilterKind(member)) return [member, parameterDocs(FILTER_PARAMETERS[member])];
    return [member, member === 'token' ? parameterDocs([member]) : memberDocs(member)];
  }),
);

/** Parameters of the blast radius, for OpenAPI. */
export const BLAST_DOCS: readonly ParameterDoc[] = [...[...START_DOCS.values()].flat(), ...parameterDocs(BESIDE)];
export const BLAST_PARAMETERS: readonly string[] = BLAST_DOCS.map(({ name }) => name);

export const REACH_PARAMETERS = [...FILTER_PARAMETERS.resource, ...BESIDE] as const;

/** Reads the start. Exactly one must be named: with two it would be unclear whether either or both are meant. */
export function readStart(parameters: Parameters): AskedStart {
  const [member, ...others] = SELECTOR_MEMBERS.filter((one) =>
    START_DOCS.get(one)!.some(({ name }) => parameters.has(name)),
  );
  if (member === undefined || others.length > 0)
    throw inconsistent(`name one thing to start from: ${SELECTOR_MEMBERS.join(', ')}`);
  if (member === 'token') return { kind: member, key: readTokenId(parameters.get(member)!) };
  if (isFilterKind(member)) return { kind: member, ref: readEntity(parameters, member)! };
  const forms = SELECTOR_FORMS[member];
  const value = forms === undefined ? parameters.get(member)! : readForm(parameters, member, forms);
  return { selector: { [member]: value } as Selector };
}

function readForm(parameters: Parameters, member: SelectorMember, forms: readonly SelectorForm[]): object {
  const given = START_DOCS.get(member)!.filter(({ name }) => parameters.has(name));
  const form = forms.find((one) => given.every(({ name }) => parametersOf(member, one).includes(name)));
  if (form === undefined)
    throw inconsistent(`give ${forms.map((one) => quoted(parametersOf(member, one))).join(', or ')}`);
  const names = form.map(([name, need]) => {
    const parameter = parameterOf(member, name);
    if (isDigest(name)) return [name, readDigest(parameters, parameter)] as const;
    return [name, need === 'required' ? needBeside(parameters, parameter) : parameters.get(parameter)] as const;
  });
  return Object.fromEntries(names.filter(([, value]) => value !== undefined));
}

export const readWantsPreview = (parameters: Parameters): boolean => readFlag(parameters, 'preview', true);
