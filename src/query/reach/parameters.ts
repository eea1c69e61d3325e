import {
  FILTER_PARAMETERS,
  inconsistent,
  needBeside,
  readDigest,
  readEntity,
  readFlag,
  readSeconds,
  readTokenId,
  type EntityRef,
  type Parameters,
} from '../ask/parameters.js';

const START_PARAMETERS = {
  ...FILTER_PARAMETERS,
  session: ['session_iss', 'session_sid'],
  id_jag: ['id_jag_iss', 'id_jag_jti', 'id_jag_sha256'],
  token: ['token'],
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
  ...BESIDE,
] as const;

export const REACH_PARAMETERS = [...START_PARAMETERS.resource, ...BESIDE] as const;

/** The compromised thing, as the caller named it. */
export type AskedStart =
  | { readonly kind: 'user' | 'client' | 'agent' | 'resource'; readonly ref: EntityRef }
  | { readonly kind: 'session'; readonly iss: string; readonly sid: string }
  | {
      readonly kind: 'id_jag';
      readonly name: { readonly iss: string; readonly jti: string } | { readonly sha256: string };
    }
  | { readonly kind: 'token'; readonly key: Buffer };

/** Reads the start. Exactly one must be named: with two it would be unclear whether either or both are meant. */
export function readStart(parameters: Parameters): AskedStart {
  const kinds = (Object.keys(START_PARAMETERS) as (keyof typeof START_PARAMETERS)[]).filter((kind) =>
    START_PARAMETERS[kind].some((name) => parameters.has(name)),
  );
  if (kinds.length !== 1)
    throw inconsistent('name one user, client, agent, session, ID-JAG, token or resource to start from');
  const kind = kinds[0]!;
  switch (kind) {
    case 'session':
      return { kind, iss: needBeside(parameters, 'session_iss'), sid: needBeside(parameters, 'session_sid') };
    case 'id_jag': {
      const sha256 = readDigest(parameters, 'id_jag_sha256');
      if (sha256 === undefined)
        return { kind, name: { iss: needBeside(parameters, 'id_jag_iss'), jti: needBeside(parameters, 'id_jag_jti') } };
      if (parameters.has('id_jag_iss') || parameters.has('id_jag_jti'))
        throw inconsistent('give `id_jag_iss` and `id_jag_jti`, or `id_jag_sha256`');
      return { kind, name: { sha256 } };
    }
    case 'token':
      return { kind, key: readTokenId(parameters.get('token')!) };
    default:
      return { kind, ref: readEntity(parameters, kind)! };
  }
}

export const readSince = (parameters: Parameters): number | undefined => readSeconds(parameters, 'since');

export const readWantsPreview = (parameters: Parameters): boolean => readFlag(parameters, 'preview', true);
