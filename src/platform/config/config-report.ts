import { createSecureContext } from 'node:tls';
import { RescindError } from '../../contracts/index.js';
import { ConfigError, readConfig, VARIABLE_DOCUMENTATION, type Config, type ConfigProblem } from './config.js';
import type { Environment } from './environment.js';
import { isCertificate, readPem } from './pem-file.js';

export interface VariableReport {
  readonly variable: string;
  /** Tells whether the value was set or is the default. */
  readonly source: 'environment' | 'default';
  /** The variable's sentence in the documentation, with its default. */
  readonly meaning: string;
}

export interface ConfigReport {
  readonly variables: readonly VariableReport[];
  /** All problems; empty if the service would accept the configuration. */
  readonly problems: readonly ConfigProblem[];
}

/** Reads and validates the configuration as a start would, including the files that it names. The report holds no value of a variable. */
export function reportConfig(env: Environment): ConfigReport {
  const variables = Object.entries(VARIABLE_DOCUMENTATION).map(
    ([variable, meaning]): VariableReport => ({
      variable,
      source: env[variable] === undefined ? 'default' : 'environment',
      meaning,
    }),
  );
  try {
    return { variables, problems: problemsOfFiles(readConfig(env)) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { variables, problems: error.problems };
  }
}

function problemsOfFiles({ listen, kafka, jwksCaFile, channels }: Config): readonly ConfigProblem[] {
  const kafkaTls = typeof kafka === 'object' ? kafka.security.tls : undefined;
  return [
    ...problemsOfIdentity({ certificate: 'TLS_CERT', key: 'TLS_KEY' }, listen.tls ?? {}),
    ...problemsOfIdentity(
      { certificate: 'KAFKA_TLS_CERT', key: 'KAFKA_TLS_KEY', authority: 'KAFKA_TLS_CA' },
      kafkaTls ?? {},
    ),
    ...problemsOfIdentity({ authority: 'JWKS_TLS_CA' }, jwksCaFile === undefined ? {} : { caFile: jwksCaFile }),
    ...problemsOfIdentity(
      { authority: 'CHANNEL_TLS_CA' },
      channels.caFile === undefined ? {} : { caFile: channels.caFile },
    ),
  ];
}

interface IdentityVariables {
  readonly certificate?: string;
  readonly key?: string;
  readonly authority?: string;
}

function problemsOfIdentity(
  variables: IdentityVariables,
  files: { readonly certFile?: string; readonly keyFile?: string; readonly caFile?: string },
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const read = (variable: string | undefined, path: string | undefined): Buffer | undefined => {
    if (variable === undefined || path === undefined) return undefined;
    try {
      return readPem(variable, path);
    } catch (error) {
      if (!(error instanceof RescindError)) throw error;
      problems.push({ variable, problem: 'names a file that cannot be read' });
      return undefined;
    }
  };
  const [cert, key, ca] = [
    read(variables.certificate, files.certFile),
    read(variables.key, files.keyFile),
    read(variables.authority, files.caFile),
  ];
  // The report uses its own words, because a message of OpenSSL may quote the file.
  if (cert !== undefined && !isUsable({ cert }))
    problems.push({ variable: variables.certificate!, problem: 'names a file that holds no PEM certificate' });
  else if (key !== undefined && !isUsable({ key }))
    problems.push({
      variable: variables.key!,
      problem: 'names a file that holds no PEM private key without a passphrase',
    });
  else if (cert !== undefined && key !== undefined && !isUsable({ cert, key }))
    problems.push({
      variable: variables.key!,
      problem: `is not the key of the certificate in ${variables.certificate}`,
    });
  if (ca !== undefined && !isCertificate(ca))
    problems.push({ variable: variables.authority!, problem: 'names a file that holds no PEM certificate' });
  return problems;
}

function isUsable(identity: { readonly cert?: Buffer; readonly key?: Buffer }): boolean {
  try {
    createSecureContext(identity);
    return true;
  } catch {
    return false;
  }
}
