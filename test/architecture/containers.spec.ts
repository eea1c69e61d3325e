import { describe, expect, it } from '@jest/globals';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { read } from './source-tree.js';

interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets?: Readonly<Record<string, { readonly file?: string }>>;
}

/** Compose merges `<<` as YAML 1.1 does. */
const composeOf = (file: string): Compose => load(read(file), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Compose;

const FILES = ['docker/compose.yml', 'docker/compose.ha.yml'];
/** Images that write outside their volumes. */
const WRITABLE_ROOT = new Set(['kafka', 'grafana']);
/** `name:1.2.3`, perhaps with a suffix; or with a digest behind it. Two numbers are enough where the publisher counts in two. */
const PINNED = /^[a-z0-9./-]+:v?\d+\.\d+(?:\.\d+)?(?:-[a-z0-9.-]+)?(?:@sha256:[0-9a-f]{64})?$/;
const BY_DIGEST = /@sha256:[0-9a-f]{64}$/;
const SECRET_NAME = /PASSWORD|SECRET|TOKEN|HEADERS|^DATABASE_URL$|_KEY$/;

/** Finds the faults of a file of services, a sentence each. */
function faultsOf({ services, secrets = {} }: Compose): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const job = service.healthcheck?.disable === true;
    const given = Object.entries(service.environment ?? {});
    const named = given.filter(([variable]) => variable.endsWith('_FILE')).map(([, value]) => String(value));
    const mounted = (service.secrets ?? []).map((secret) => `/run/secrets/${secret}`);
    return [
      ...(service.restart === (job ? 'on-failure' : 'unless-stopped') ? [] : ['is not restarted']),
      ...(/^\d+[mg]$/.test(service.mem_limit ?? '') ? [] : ['has no memory limit']),
      ...(job || (service.healthcheck?.test?.[0] === 'CMD' && service.healthcheck.test.length > 1)
        ? []
        : ['has no healthcheck']),
      ...(service.build !== undefined || PINNED.test(service.image ?? '') ? [] : ['is not pinned']),
      ...(service.cap_drop?.includes('ALL') === true &&
      service.security_opt?.includes('no-new-privileges:true') === true &&
      service.privileged !== true
        ? []
        : ['has privileges']),
      ...(service.read_only === true || WRITABLE_ROOT.has(name) ? [] : ['has a writable root']),
      ...(/^(?:0|root)(?::|$)/.test(service.user ?? '') ? ['runs as root'] : []),
      ...given
        .filter(([variable]) => SECRET_NAME.test(variable) && !/^TLS_KEY$|_FILE$/.test(variable))
        .map(([variable]) => `has a secret in ${variable}`),
      ...given
        .filter(([, value]) => /:\/\/[^/\s]*:[^/\s]*@/.test(String(value)))
        .map(([variable]) => `has a password in ${variable}`),
      ...named.filter((path) => !mounted.includes(path)).map((path) => `reads ${path}, which is not mounted`),
      ...(service.secrets ?? [])
        .filter((secret) => secrets[secret]?.file === undefined)
        .map((secret) => `wants the secret ${secret}, which is from no file`),
    ].map((fault) => `${name} ${fault}`);
  });
}

/** Lines of a Dockerfile that are instructions, with those that they go on in. */
const instructionsOf = (dockerfile: string): string[] =>
  dockerfile
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));

describe('the files of services', () => {
  it.each(FILES)(
    '%s: each service is restarted, bounded, asked whether it is well, pinned, without privileges and plain secrets',
    (file) => {
      const compose = composeOf(file);
      expect(Object.keys(compose.services).length).toBeGreaterThan(3);
      expect(faultsOf(compose)).toEqual([]);
    },
  );

  it('see what is wrong', () => {
    const services: Record<string, Service> = {
      bare: {
        image: 'postgres:18',
        environment: { POSTGRES_PASSWORD: 'x', URL: 'postgres://a:b@c/d', DATABASE_URL_FILE: '/run/secrets/u' },
        secrets: ['v'],
        user: '0:0',
      },
      latest: {
        image: 'postgres',
        restart: 'always',
        mem_limit: 'much',
        healthcheck: { test: ['NONE'] },
        cap_drop: ['ALL'],
        privileged: true,
      },
    };
    expect(faultsOf({ services })).toEqual([
      'bare is not restarted',
      'bare has no memory limit',
      'bare has no healthcheck',
      'bare is not pinned',
      'bare has privileges',
      'bare has a writable root',
      'bare runs as root',
      'bare has a secret in POSTGRES_PASSWORD',
      'bare has a password in URL',
      'bare reads /run/secrets/u, which is not mounted',
      'bare wants the secret v, which is from no file',
      'latest is not restarted',
      'latest has no memory limit',
      'latest has no healthcheck',
      'latest is not pinned',
      'latest has privileges',
      'latest has a writable root',
    ]);
  });

  it('highly available: two nodes start after the migrations ran, the proxy balances both by readiness, and commits wait for the standby', () => {
    const { services } = composeOf('docker/compose.ha.yml');
    for (const node of ['rescind-a', 'rescind-b']) {
      expect(services[node]).toMatchObject({
        environment: { MIGRATIONS: 'manual', TLS_CERT: '/run/secrets/node.crt' },
        depends_on: { migrate: { condition: 'service_completed_successfully' } },
      });
    }
    expect(services['migrate']!.command).toEqual(['node', 'dist/cli/rescind.js', 'migrate']);
    const backends = read('docker/proxy/haproxy.cfg')
      .split(/^backend /m)
      .slice(1);
    expect(backends.map((backend) => /^\w+/.exec(backend)![0])).toEqual(['introspection', 'feed', 'ingest', 'serve']);
    for (const backend of backends) {
      expect(backend).toMatch(
        /^ {2}option httpchk GET \/health\/ready\/(?:serve|ingest)\n {2}http-check expect status 200$/m,
      );
      expect(backend.match(/^ {2}server \w.*verifyhost rescind-[ab]$/gm)).toHaveLength(2);
    }
    expect(read('docker/postgres/primary.sh')).toContain(
      "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby)';",
    );
    expect(read('docker/postgres/standby.sh')).toContain('application_name=standby');
  });
});

describe('the image', () => {
  const instructions = instructionsOf(read('docker/Dockerfile'));

  it('is made from pinned images, runs as a numbered user, asks for its health, and holds no secret', () => {
    const bases = instructions.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]!);
    expect(bases.filter((base) => !PINNED.test(base))).toEqual([]);
    expect(instructions.filter((line) => line.startsWith('USER '))).toEqual(['USER 1000:1000']);
    expect(instructions.findIndex((line) => line.startsWith('USER '))).toBeLessThan(
      instructions.findIndex((line) => line.startsWith('CMD ')),
    );
    expect(instructions.find((line) => line.startsWith('HEALTHCHECK '))).toContain(
      '"dist/cli/rescind.js", "health", "serve"',
    );
    expect(instructions.filter((line) => /^(?:ENV|ARG) .*(?:PASSWORD|SECRET|TOKEN|_KEY)/.test(line))).toEqual([]);
    expect(instructions.filter((line) => /^ADD |^COPY \. |--privileged|curl .*\|/.test(line))).toEqual([]);
  });

  it('sees nothing but what is listed when it is built', () => {
    const [first, ...rest] = read('docker/Dockerfile.dockerignore').trim().split('\n');
    expect(first).toBe('*');
    expect(rest.every((line) => line.startsWith('!') && !line.includes('secrets'))).toBe(true);
  });
});

/** A release sets RELEASE=1; nobody who has no registry can say which digest a tag has. */
const atRelease = process.env['RELEASE'] === undefined ? it.skip : it;

atRelease('a release names every image by its digest, too', () => {
  const images = FILES.flatMap((file) =>
    Object.values(composeOf(file).services).flatMap(({ image, build }) => (build === undefined ? [image!] : [])),
  );
  const bases = instructionsOf(read('docker/Dockerfile'))
    .filter((line) => line.startsWith('FROM '))
    .map((line) => line.split(' ')[1]!);
  expect([...images, ...bases].filter((image) => !BY_DIGEST.test(image))).toEqual([]);
});
