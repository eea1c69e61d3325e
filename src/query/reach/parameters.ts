import type { AskedStart } from '../../selection/index.js';
import {
  FILTER_PARAMETERS,
  inconsistent,
  needBeside,
  readDigest,
  readEntity,
  readFlag,
  readTokenId,
  type Parameters,
} from '../ask/parameters.js';

const START_PARAMETERS = {
  ...FILTER_PARAMETERS,
  session: ['session_iss', 'session_sid'],
  id_jag: ['id_jag_iss', 'id_jag_jti', 'id_jag_sha256'],
  token: ['token'],
  agent_type: ['agent_type'],
  issuer: ['issuer'],
} as const;

const BESIDE = ['since', 'preview', 'as_of'] as const;

export const BLAST_PARAMETERS = [
  ...START_PARAMETERS.agent,
  ...START_PARAMETERS.client,
  ...START_PARAMETERS.user,
  ...START_PARAMETERS.session,
  ...START_PARAMETERS.id_jag,
  ...START_PARAMETERS.token,
  ...START_PARAMETERS.resource,
  ...START_PARAMETERS.agent_type,
  ...START_PARAMETERS.issuer,
  ...BESIDE,
] as const;

export const REACH_PARAMETERS = [...START_PARAMETERS.resource, ...BESIDE] as const;

/** Reads the start. Exactly one must be named: with two it would be unclear whether either or both are meant. */
export function readStart(parameters: Parameters): AskedStart {
  const kinds = (Object.keys(START_PARAMETERS) as (keyof typeof START_PARAMETERS)[]).filter((kind) =>
    START_PARAMETERS[kind].some((name) => parameters.has(name)),
  );
  if (kinds.length !== 1)
    throw inconsistent(
      'name one user, client, agent, type of agent, session, ID-JAG, token, resource or issuer to start from',
    );
  const kind = kinds[0]!;
  switch (kind) {
    case 'session': {
      const [iss, sid] = [needBeside(parameters, 'session_iss'), needBeside(parameters, 'session_sid')];
      return { selector: { session: { iss, sid } } };
    }
    case 'id_jag': {
      const sha256 = readDigest(parameters, 'id_jag_sha256');
      if (sha256 === undefined) {
        const [iss, jti] = [needBeside(parameters, 'id_jag_iss'), needBeside(parameters, 'id_jag_jti')];
        return { selector: { id_jag: { iss, jti } } };
      }
      if (parameters.has('id_jag_iss') || parameters.has('id_jag_jti'))
        throw inconsistent('give `id_jag_iss` and `id_jag_jti`, or `id_jag_sha256`');
      return { selector: { id_jag: { sha256 } } };
    }
    case 'token':
      return { kind, key: readTokenId(parameters.get('token')!) };
    case 'agent_type':
    case 'issuer':
      return { selector: { [kind]: parameters.get(kind)! } };
    default:
      return { kind, ref: readEntity(parameters, kind)! };
  }
}

export const readWantsPreview = (parameters: Parameters): boolean => readFlag(parameters, 'preview', true);
